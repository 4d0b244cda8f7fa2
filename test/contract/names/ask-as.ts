/** `ask-as.ts SERVER COUNT NAME ADDRESS…`: questions from these addresses, as fast as they go, whose answers nobody reads. */
import { createSocket } from "node:dgram";
import { setTimeout as sleep } from "node:timers/promises";

const [server = "", count = "1", name = "", ...addresses] = process.argv.slice(2);
const labels = name.split(".").flatMap((label) => [Buffer.from([label.length]), Buffer.from(label)]);
const question = Buffer.concat([
  Buffer.from([0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]),
  ...labels,
  Buffer.from([0, 0, 1, 0, 1]),
]);
const sockets = await Promise.all(
  addresses.map(async (address) => {
    const socket = createSocket("udp4");
    const bound = Promise.withResolvers<void>();
    socket.bind({ address }, () => bound.resolve());
    await bound.promise;
    return socket;
  }),
);
for (let n = 0; n < Number(count); n++) {
  sockets[n % sockets.length]?.send(question, 53, server, () => undefined);
  if (n % 20 === 19) await sleep(1);
}
await sleep(100);
for (const socket of sockets) socket.close();
