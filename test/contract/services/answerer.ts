/** Runs in a namespace: `answerer.ts NAME ADDRESS PORT…` answers each TCP connection and UDP packet with `NAME client-address`, and holds TCP connections open that say "hold". */
import { createSocket } from "node:dgram";
import { createServer } from "node:net";

const [name = "", address = "", ...ports] = process.argv.slice(2);

for (const port of ports.map(Number)) {
  const server = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.on("data", (data) => {
      socket.write(`${name} ${socket.remoteAddress}\n`);
      if (!data.toString().startsWith("hold")) socket.end();
    });
  });
  server.listen(port, address);
  const socket = createSocket({ type: "udp4" });
  socket.on("message", (_, { address: from, port: to }) => socket.send(`${name} ${from}`, to, from));
  socket.bind(port, address);
}
