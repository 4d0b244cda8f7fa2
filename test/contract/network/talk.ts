/**
 * A program for places that are nothing but a network namespace:
 *     talk.ts answer 80 udp:5353 …        echoes at these ports, until it is ended
 *     talk.ts ask 10.1.2.3:80 udp:…  …    prints those that answered within a quarter of a second of a machine that is not busy
 *     talk.ts hold 10.1.2.3:80            says something ten times a second, and prints a dot for each answer
 */
import { createSocket } from "node:dgram";
import { connect, createServer } from "node:net";

const [, , verb, ...targets] = process.argv;
const PATIENCE_MS = 250;
const TICK_MS = 10;

if (verb === "answer") for (const target of targets) answer(target);
else if (verb === "ask") {
  const patience = quiet(PATIENCE_MS);
  const answered = await Promise.all(targets.map((target) => ask(target, patience)));
  process.stdout.write(targets.filter((_target, at) => answered[at]).join(" "));
  process.exit(0);
} else hold(targets[0] ?? "");

function answer(target: string): void {
  if (!target.startsWith("udp:")) createServer((socket) => socket.pipe(socket)).listen(Number(target), "0.0.0.0");
  else {
    const socket = createSocket("udp4", (data, { port, address }) => socket.send(data, port, address));
    socket.bind(Number(target.slice(4)));
  }
}

function ask(target: string, patience: Promise<void>): Promise<boolean> {
  const isUdp = target.startsWith("udp:");
  const [host = "", port] = target.replace("udp:", "").split(":");
  return new Promise((resolve) => {
    void patience.then(() => resolve(false));
    if (isUdp) {
      const socket = createSocket("udp4", () => resolve(true)).on("error", () => resolve(false));
      socket.send("ask", Number(port), host);
    } else {
      const socket = connect({ host, port: Number(port) }, () => socket.write("ask"));
      socket.on("error", () => resolve(false)).on("data", () => resolve(true));
    }
  });
}

/** Ends after so much time in which this process had its turn when it wanted it: on a busy machine all that answers is as late as its ticks. */
function quiet(ms: number): Promise<void> {
  return new Promise((resolve) => {
    let [left, last] = [ms, performance.now()];
    const timer = setInterval(() => {
      const now = performance.now();
      left -= Math.min(now - last, TICK_MS);
      last = now;
      if (left > 0) return;
      clearInterval(timer);
      resolve();
    }, TICK_MS);
  });
}

function hold(target: string): void {
  const [host, port] = target.split(":");
  const socket = connect({ host: host ?? "", port: Number(port) });
  socket.on("data", () => process.stdout.write("."));
  setInterval(() => socket.write("x"), 100);
}
