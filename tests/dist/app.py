# Requests to the app of the README, which is above.
client = app.server.test_client()
app.layout = dash.html.Div()
assert client.get("/").status_code == 401
assert client.get("/", auth=("alice", "secret124")).status_code == 401
assert client.get("/", auth=("alice", "secret123")).status_code == 200
