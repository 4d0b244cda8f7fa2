import { join } from "node:path";
import type { ServerKit, StoreKit } from "../../trust/join-messages.ts";
import { identityFiles } from "../membership.ts";
import type { StorePlace } from "../store-place.ts";
import { writePair, writeWhole } from "../trust/pair-files.ts";

/** Writes down what makes this host a server: the CA with its key, the key of what is sealed, the way to the store. */
export async function keepServerKit(stateDir: string, caPem: string, kit: ServerKit): Promise<StorePlace> {
  const { ca, caKey, masterKey } = identityFiles(stateDir);
  await writePair(ca, caKey, { certPem: caPem, keyPem: kit.caKeyPem });
  if (kit.masterKey !== undefined) await writeWhole(masterKey, `${kit.masterKey}\n`);
  return keepStoreFiles(join(stateDir, "pki"), kit.store);
}

async function keepStoreFiles(dir: string, store: StoreKit): Promise<StorePlace> {
  const keep = async (name: string, text: string | undefined): Promise<string | undefined> => {
    if (text === undefined) return undefined;
    await writeWhole(join(dir, name), text);
    return join(dir, name);
  };
  const ca = await keep("store-ca.crt", store.caPem);
  const cert = await keep("store.crt", store.certPem);
  const key = await keep("store.key", store.keyPem);
  const passwordFile = await keep("store.password", store.password);
  return {
    url: store.url,
    ...(store.prefix === undefined ? {} : { prefix: store.prefix }),
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(store.user === undefined ? {} : { user: store.user }),
    ...(passwordFile === undefined ? {} : { passwordFile }),
  };
}
