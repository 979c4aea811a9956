"""What `make check` looks for beyond the code: an open template, secrets in files, licences, known vulnerabilities."""
