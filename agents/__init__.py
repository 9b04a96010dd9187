"""The office: who works here, their connections, their runs and their tools. Knows no Qt."""
