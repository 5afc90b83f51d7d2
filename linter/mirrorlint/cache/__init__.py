"""What earlier runs found out, kept in the user's cache folder: whole reports, and what files hold."""
