/** Stands for a styr that is killed: starts what its argument says, tells the pid, and waits. */
import { KeeperClient } from "../../../src/drivers/keeper/keeper-client.ts";

const { place, spec } = JSON.parse(process.argv[2] ?? "");
const client = new KeeperClient(place);
client.watch(() => undefined, new AbortController().signal);
const { pid } = await client.spawn(spec);
process.stdout.write(`${pid}\n`);
