import type { StoredObject } from "../model/meta.ts";
import { type Namespace, namespaces } from "../model/namespace.ts";
import { type Secret, secrets } from "../model/secret.ts";
import { acmeSecretName, CERTIFICATE_NAMESPACE } from "../model/way-in/acme-secret.ts";
import type { WorkloadReader } from "../model/workload.ts";
import { recordEvent } from "../store/record-event.ts";
import type { Store } from "../store/store.ts";
import type { Tx } from "../store/transaction.ts";
import type { OrderedCertificate } from "./authority.ts";

const ACCOUNT = "acme-account";
const TLS = "kubernetes.io/tls";

/** The account's key with this authority, sealed like every Secret; made with the first order. */
export async function keepAccountKey(store: Store, directory: string, make: () => Promise<string>): Promise<string> {
  const known = accountKey(store, directory);
  if (known !== undefined) return known;
  const made = await make();
  return store.update((tx) => {
    // Of several orders that began at once the first has made the account.
    const theirs = accountKey(tx, directory);
    if (theirs !== undefined) return theirs;
    write(tx, ACCOUNT, "Opaque", { directory, key: made });
    return made;
  });
}

function accountKey(reader: WorkloadReader, directory: string): string | undefined {
  const known = reader.get(secrets, `${CERTIFICATE_NAMESPACE}/${ACCOUNT}`)?.data;
  return known?.key !== undefined && decoded(known.directory) === directory ? decoded(known.key) : undefined;
}

export function keepCertificate(tx: Tx, host: string, { certificate, key }: OrderedCertificate): void {
  write(tx, acmeSecretName(host), TLS, { "tls.crt": certificate, "tls.key": key });
}

/** A host that is asked for again, as when its Ingress is made anew, has its certificate at once; but not all that ever was is kept. */
const MOST_UNWANTED = 500;

/** Of certificates that nobody asks for the youngest are kept. */
export function forgetUnwanted(tx: Tx, wanted: ReadonlyMap<string, unknown>): void {
  const start = acmeSecretName("");
  const unwanted = tx
    .list(secrets, CERTIFICATE_NAMESPACE)
    .filter(({ metadata, type }) => type === TLS && metadata.name.startsWith(start))
    .filter(({ metadata }) => !wanted.has(metadata.name.slice(start.length)));
  const since = ({ metadata }: Secret) => metadata.creationTimestamp;
  const oldest = unwanted.sort((a, b) => (since(a) < since(b) ? -1 : since(a) > since(b) ? 1 : 0));
  for (const { metadata } of oldest.slice(0, -MOST_UNWANTED))
    tx.remove(secrets, `${CERTIFICATE_NAMESPACE}/${metadata.name}`);
}

/** To those who asked for it. */
export function sayOfCertificate(
  tx: Tx,
  askers: readonly StoredObject[],
  said: { readonly type: "Normal" | "Warning"; readonly reason: string; readonly message: string },
): void {
  for (const asker of askers) recordEvent(tx, asker, { ...said, component: "acme" });
}

function write(tx: Tx, name: string, type: string, values: Readonly<Record<string, string>>): void {
  ensureNamespace(tx);
  const data = Object.fromEntries(
    Object.entries(values).map(([key, text]) => [key, Buffer.from(text).toString("base64")]),
  );
  const before = tx.get(secrets, `${CERTIFICATE_NAMESPACE}/${name}`);
  if (before) tx.update(secrets, { ...before, data, type });
  else
    tx.create<Secret>(secrets, {
      ...{ apiVersion: "v1", kind: "Secret", type, data },
      metadata: { name, namespace: CERTIFICATE_NAMESPACE },
    });
}

function ensureNamespace(tx: Tx): void {
  if (tx.get(namespaces, CERTIFICATE_NAMESPACE)) return;
  tx.create<Namespace>(namespaces, {
    ...{ apiVersion: "v1", kind: "Namespace", spec: { finalizers: ["kubernetes"] }, status: { phase: "Active" } },
    metadata: { name: CERTIFICATE_NAMESPACE, labels: { "kubernetes.io/metadata.name": CERTIFICATE_NAMESPACE } },
  });
}

function decoded(text: string | undefined): string {
  return Buffer.from(text ?? "", "base64").toString("utf8");
}
