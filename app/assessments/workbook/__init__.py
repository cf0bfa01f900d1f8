"""An assessment as a workbook: written, filled in away from the portal, read and compared."""
