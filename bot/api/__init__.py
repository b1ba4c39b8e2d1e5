"""The API by which tools report evidence and read figures."""
