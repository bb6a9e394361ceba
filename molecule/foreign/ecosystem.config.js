// Two processes of pm2, with the settings of the units that they take the place of.
const fs = require("fs");

const read = (name) =>
  Object.fromEntries(
    fs.readFileSync(`/etc/cube/${name}.env`, "utf8").split("\n").filter(Boolean).map((line) => {
      const at = line.indexOf("=");
      return [line.slice(0, at), line.slice(at + 1)];
    }),
  );

module.exports = {
  apps: ["api", "refresh-worker"].map((name) => ({
    name: `cube-${name}`,
    cwd: "/opt/cube/project",
    script: "../node_modules/.bin/cubejs-server",
    args: "server",
    env: { ...read("acme"), ...read(name) },
  })),
};
