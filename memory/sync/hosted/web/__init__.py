"""The small web page for a person who lost the app. One strict cookie, no script, nothing from elsewhere."""
