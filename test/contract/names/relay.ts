/** `relay.ts LISTEN TO`: a resolver on the host that knows nothing itself, and asks TO whatever it is asked. */
import { createSocket } from "node:dgram";

const [listen = "", to = ""] = process.argv.slice(2);
const door = createSocket("udp4");
door.on("message", (bytes, from) => {
  const outward = createSocket("udp4");
  outward.on("message", (answer) => {
    door.send(answer, from.port, from.address);
    outward.close();
  });
  outward.on("error", () => outward.close());
  setTimeout(() => outward.unref(), 3000).unref();
  outward.send(bytes, 53, to);
});
door.bind(53, listen);
