/** A server's store in the middle of changing its keys, to be killed: `rotation-main.ts DIR`. Says what it has done, line by line. */
import { join } from "node:path";
import { allKinds, sealJournal } from "../../src/app/server/seal-journal.ts";
import { type Secret, secrets } from "../../src/model/secret.ts";
import { SystemClock } from "../../src/seams/clock.ts";
import { silentLog } from "../../src/seams/log.ts";
import { SystemRandom } from "../../src/seams/random.ts";
import { SqliteJournal } from "../../src/store/journals/sqlite.ts";
import { Sealing } from "../../src/store/sealed/sealing.ts";
import { Store } from "../../src/store/store.ts";

const [stateDir = ""] = process.argv.slice(2);
const parts = { clock: new SystemClock(), random: new SystemRandom(), log: silentLog };
const kinds = allKinds();
const sealed = sealJournal(await SqliteJournal.open(join(stateDir, "store.db")), { stateDir }, parts);
const store = await Store.open({ ...parts, kinds, journal: sealed });
const sealing = new Sealing({ ...parts, store, kinds, vault: sealed.vault });
sealing.resealer.start();
process.stdout.write(`opened ${store.count(secrets)}\n`);
// Keeps the process alive, and somebody always writes.
for (let n = store.count(secrets); ; n++) {
  const metadata = { namespace: "default", name: `s${n}` };
  const data = { value: Buffer.from(`value ${n}`).toString("base64") };
  await store.update((tx) => tx.create<Secret>(secrets, { apiVersion: "v1", kind: "Secret", metadata, data }));
  process.stdout.write(`wrote ${n}\n`);
  if (n % 25 === 24) await sealing.rotate().catch((error: Error) => process.stderr.write(`${error.message}\n`));
}
