// Starts the releases of Cube.js that have no command for production, in the project's directory. A project with an
// index.js of its own is started by that.
const fs = require('fs');
const path = require('path');
const CubejsServer = require('@cubejs-backend/server');

// Idle keep-alive connections of the proxy would keep the process from ending; systemd waits a little longer.
const STOP_SECONDS = 8;

const settings = path.resolve('cube.js');
const server = new CubejsServer(fs.existsSync(settings) ? require(settings) : {});

function stop() {
  setTimeout(() => process.exit(0), STOP_SECONDS * 1000).unref();
  server.close().then(() => process.exit(0), () => process.exit(1));
}

server.listen().then(
  ({ version, port }) => {
    console.log(`Cube.js server (${version}) is listening on ${port}`);
    process.once('SIGTERM', stop);
    process.once('SIGINT', stop);
  },
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
