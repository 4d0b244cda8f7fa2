/** `names-load.ts ADDRESS SECONDS WINDOW NAME…`: asks for the names in turn by UDP, WINDOW questions at a time; writes one line of JSON. */
import { createSocket } from "node:dgram";

const [address = "", seconds = "1", window = "1", ...names] = process.argv.slice(2);
const questions = names.map((name) => {
  const labels = name.split(".").flatMap((label) => [label.length, ...Buffer.from(label)]);
  return Buffer.from([0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...labels, 0, 0, 1, 0, 1]);
});
const sentAt = new Float64Array(65_536);
const latencies: number[] = [];
const endAt = performance.now() + Number(seconds) * 1000;
let sent = 0;
let lost = 0;
const socket = createSocket("udp4");

function ask(): void {
  const question = questions[sent % questions.length];
  if (!question) return;
  const id = sent++ % 65_536;
  const bytes = Buffer.from(question);
  bytes.writeUInt16BE(id, 0);
  sentAt[id] = performance.now();
  socket.send(bytes, () => undefined);
}

socket.on("message", (bytes) => {
  latencies.push(performance.now() - (sentAt[bytes.readUInt16BE(0)] ?? 0));
  if (performance.now() < endAt) ask();
});
socket.connect(53, address, () => {
  for (let n = 0; n < Number(window); n++) ask();
});
// One that is lost is asked again, so that the window stays full.
const looking = setInterval(() => {
  const missing = sent - latencies.length - lost - Number(window);
  for (let n = 0; n < missing; n++) ask();
}, 100);
setTimeout(
  () => {
    clearInterval(looking);
    lost = sent - latencies.length;
    latencies.sort((a, b) => a - b);
    const at = (share: number) => Math.round((latencies[Math.floor(latencies.length * share)] ?? 0) * 1000);
    const perSecond = Math.round(latencies.length / Number(seconds));
    process.stdout.write(`${JSON.stringify({ perSecond, p50Micros: at(0.5), p99Micros: at(0.99), lost })}\n`);
    socket.close();
  },
  Number(seconds) * 1000 + 300,
);
