/** `ask-often.ts ADDRESS NAME`: a question every 2 ms, each from a port of its own, until SIGTERM; then says how many were not answered. */
import { createSocket } from "node:dgram";

const [address = "", name = ""] = process.argv.slice(2);
const labels = name.split(".").flatMap((label) => [label.length, ...Buffer.from(label)]);
const question = Buffer.from([0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...labels, 0, 0, 1, 0, 1]);
let asked = 0;
let lost = 0;
let open = 0;

function ask(): void {
  asked++;
  open++;
  const socket = createSocket("udp4");
  const done = (isLost: boolean) => {
    clearTimeout(timer);
    if (isLost) lost++;
    open--;
    socket.close();
  };
  const timer = setTimeout(done, 3000, true);
  socket.once("message", (bytes) => done((bytes.readUInt16BE(2) & 0xf) !== 0));
  socket.once("error", () => done(true));
  socket.send(question, 53, address);
}

const asking = setInterval(ask, 2);
process.on("SIGTERM", () => {
  clearInterval(asking);
  const waiting = setInterval(() => {
    if (open > 0) return;
    clearInterval(waiting);
    process.stdout.write(`asked ${asked}, lost ${lost}\n`);
  }, 20);
});
