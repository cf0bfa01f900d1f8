"""The blueprint that the pages of this feature share."""

from flask import Blueprint

blueprint = Blueprint("identity", __name__)
