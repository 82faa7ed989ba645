"""Does the desk answer at this address? Exit code 0 if so: `probe.py https://desk.example.com:8501/livez`

Standard library alone. The token comes from DESK_METRICS_TOKEN, the certificates to trust from PROBE_CA.
"""

import os
import ssl
import sys
from http.client import HTTPException, HTTPSConnection
from urllib.parse import urlsplit

if __name__ == "__main__":
    asked = urlsplit(sys.argv[1])
    context = ssl.create_default_context(cafile=os.environ.get("PROBE_CA"))
    connection = HTTPSConnection(asked.netloc, timeout=5, context=context)
    try:
        connection.request("GET", asked.path, headers={"Authorization": f"Bearer {os.environ['DESK_METRICS_TOKEN']}"})
        answer = connection.getresponse()
        sys.stdout.write(answer.read().decode() + "\n")
    except (OSError, HTTPException) as error:
        sys.exit(f"{asked.netloc}: {error}")
    sys.exit(0 if answer.status == 200 else 1)
