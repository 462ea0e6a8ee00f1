"""What listens: the intake of webhook calls. Knows ports and nothing that speaks SQL; what stores is handed in."""
