"""What every part of the simulation knows of its platform: names, lifetimes and limits. Seconds."""

CLIENT_ID = "BRN-0201-1690000000001"
PUBLIC_URL = "https://merchant.example/v1"
API_SECONDS, WORKER_SECONDS = 28.0, 60.0
