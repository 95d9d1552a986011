"""Public pages: the privacy notice; the website's half of double opt-in and the download of copies come here too."""
