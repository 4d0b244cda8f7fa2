/** Stands for a styr that is killed in the middle of a session: shows the command's output. */
import { KeeperClient } from "../../../src/drivers/keeper/keeper-client.ts";

const { place, spec } = JSON.parse(process.argv[2] ?? "");
const session = await new KeeperClient(place).exec(spec, { tty: false, stdin: false });
for await (const { data } of session.output) process.stdout.write(data);
