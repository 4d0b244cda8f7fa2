/**
 * Runs in a namespace: `dialer.ts PROTOCOL ADDRESS PORT TIMES [LOCAL-PORT]` says on each line what was answered, or the error's code and
 * after how many ms. `hold`: one TCP connection that asks again every 50 ms.
 */
import { createSocket } from "node:dgram";
import { createConnection } from "node:net";

const [protocol = "tcp", address = "", port = "0", times = "1", localPort = "0"] = process.argv.slice(2);
const PATIENCE_MS = 1500;

function tcp(): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const socket = createConnection({
    host: address,
    port: Number(port),
    localPort: Number(localPort),
    timeout: PATIENCE_MS,
  });
  socket.once("connect", () => socket.write("hello\n"));
  socket.once("data", (data) => {
    resolve(data.toString().trim());
    socket.destroy();
  });
  socket.once("timeout", () => socket.destroy(Object.assign(new Error(), { code: "ETIMEDOUT" })));
  socket.once("error", ({ code = "error" }: NodeJS.ErrnoException) => resolve(code));
  socket.once("close", () => resolve("closed"));
  return promise;
}

function udp(): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const socket = createSocket("udp4");
  const timer = setTimeout(() => resolve("ETIMEDOUT"), PATIENCE_MS);
  socket.once("message", (data) => resolve(data.toString().trim()));
  // Connected, so that the refusal of the other side is heard; this host's own refuses to send (EPERM).
  const heard = (error?: NodeJS.ErrnoException | null) => error && resolve(error.code ?? "error");
  socket.once("error", heard);
  socket.bind(Number(localPort), () => socket.connect(Number(port), address, () => socket.send("hello", heard)));
  return promise.finally(() => {
    clearTimeout(timer);
    socket.close();
  });
}

if (protocol === "hold") {
  const socket = createConnection({ host: address, port: Number(port) });
  socket.on("data", (data) => process.stdout.write(data));
  socket.on("error", ({ code }: NodeJS.ErrnoException) => console.log(code));
  socket.on("close", () => console.log("closed"));
  setInterval(() => socket.write("hold\n"), 50);
} else {
  for (let n = 0; n < Number(times); n++) {
    const began = performance.now();
    const said = await (protocol === "tcp" ? tcp() : udp());
    console.log(said.startsWith("E") ? `${said} ${Math.round(performance.now() - began)}` : said);
  }
}
