"""Bursarbridge carries fees, payments and holds between campus offices and the student account, to the cent."""
