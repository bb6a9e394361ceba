// Sends one query with Cube's own clients and prints rows and where they came from as one line of JSON.
// Standard input: {transport: "http" | "ws", url, address, token, query, subscribe}. The token never is an argument.
const dns = require('dns');
const { readFileSync } = require('fs');
const cubejs = require('@cubejs-client/core').default;
const WebSocketTransport = require('@cubejs-client/ws-transport');

const { transport, url, address, token, query, subscribe } = JSON.parse(readFileSync(0, 'utf8'));
const { hostname } = new URL(url);

// What curl calls --resolve: the server's name leads to the test host, and is still verified against its certificate.
const { lookup } = dns;
dns.lookup = (name, ...rest) => lookup(name === hostname ? address : name, ...rest);

const socket = transport === 'ws' ? new WebSocketTransport({ authorization: token, apiUrl: url }) : undefined;
const client = socket ? cubejs({ transport: socket }) : cubejs(token, { apiUrl: url });

function report(resultSet) {
  const { external, extDbType, lastRefreshTime } = resultSet.loadResponse.results[0];
  process.stdout.write(`${JSON.stringify({ rows: resultSet.rawData(), external, extDbType, lastRefreshTime })}\n`);
}

function subscribed() {
  return new Promise((resolve, reject) => {
    client.load(query, { subscribe: true }, (error, resultSet) => (error ? reject(error) : resolve(resultSet)));
  });
}

(subscribe ? subscribed() : client.load(query))
  .then(report)
  .catch((error) => {
    process.stderr.write(`${error}\n`);
    process.exitCode = 1;
  })
  // A subscription and an open socket would keep the process alive.
  .finally(() => process.exit());
