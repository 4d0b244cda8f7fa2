import { readFile } from "node:fs/promises";
import type { Joining } from "../../api/joining.ts";
import { readKey } from "../../store/sealed/key-files.ts";
import type { StoreKit } from "../../trust/join-messages.ts";
import { identityFiles } from "../membership.ts";
import { isEtcd, passwordOf, type StorePlace } from "../store-place.ts";

/** What hosts that join are given here. Another server gets all that it needs to open the same store. */
export function joiningOf(stateDir: string, url: string, store: StorePlace): Joining {
  if (!isEtcd(store)) return { url };
  return {
    url,
    storeKit: async () => {
      const masterKey = await readKey(identityFiles(stateDir).masterKey);
      return { store: await storeKit(store), ...(masterKey ? { masterKey: masterKey.toString("hex") } : {}) };
    },
  };
}

async function storeKit(store: StorePlace): Promise<StoreKit> {
  const { url, prefix, ca, cert, key, user } = store;
  const [caPem, certPem, keyPem] = await Promise.all([ca, cert, key].map(pemOf));
  const password = await passwordOf(store);
  return {
    url,
    ...(prefix === undefined ? {} : { prefix }),
    ...(caPem === undefined ? {} : { caPem }),
    ...(certPem === undefined ? {} : { certPem }),
    ...(keyPem === undefined ? {} : { keyPem }),
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { password }),
  };
}

async function pemOf(file: string | undefined): Promise<string | undefined> {
  return file === undefined ? undefined : readFile(file, "utf8");
}
