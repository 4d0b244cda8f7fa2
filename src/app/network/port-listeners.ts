/** Opens ports of this host for the proxy of an agent that is not root. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";
import type { PortListeners } from "../../network/services/node-proxy/port-listeners.ts";

const EVERYWHERE = "0.0.0.0";

export const portListeners: PortListeners = {
  async tcp(port, accept) {
    const server = createServer({ allowHalfOpen: true }, accept);
    server.listen(port, EVERYWHERE);
    await once(server, "listening");
    return {
      async close() {
        // Refuses at once; its callback would wait for the end of connections that are there.
        server.close();
      },
    };
  },
  async udp(port) {
    const socket = createSocket("udp4");
    socket.bind(port, EVERYWHERE);
    await once(socket, "listening");
    return socket;
  },
};
