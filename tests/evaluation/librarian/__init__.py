"""Does the librarian find the page? Questions in other words than the documents', and questions without an answer."""
