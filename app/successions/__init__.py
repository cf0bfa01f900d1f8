"""The agency puts a new officer in the place of officers who have gone; two of its people sign."""
