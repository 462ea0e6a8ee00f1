"""The durable engine and the timetable. Knows no flow."""
