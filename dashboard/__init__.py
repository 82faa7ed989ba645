"""The desk in the browser: start-up, frame, routes and components. Started by `python3 -m dashboard`."""
