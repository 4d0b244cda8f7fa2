import { CLUSTER_TRUST_NAME, clusterTrusts } from "../../model/cluster-trust.ts";
import { type Kind, keyOf, type StoredObject } from "../../model/meta.ts";
import { archiveMacOf } from "../sealed/master-key.ts";
import type { SealedJournal } from "../sealed/sealed-journal.ts";
import type { Store } from "../store.ts";
import type { ArchiveHeader, ArchiveRow } from "./archive-format.ts";

export interface Snapshot {
  readonly about: Pick<ArchiveHeader, "clusterId" | "revision" | "rows" | "masterKey">;
  /** Made as they are taken. */
  readonly rows: Iterable<ArchiveRow>;
  /** The HMAC of its digest, by the master key of this moment; undefined where this process does not have that. */
  readonly sign: ((sha256: string) => string) | undefined;
}

/** The whole store as it is at this moment. Objects are never changed, so it is enough to note which ones there are. */
export function snapshotOf(store: Store, kinds: readonly Kind[], journal: SealedJournal): Snapshot {
  const { vault, unknownRows } = journal;
  const tables = kinds.map((kind) => ({ kind, objects: [...store.scan(kind)] }));
  const trust = tables.some(({ kind }) => kind.name === clusterTrusts.name)
    ? store.get(clusterTrusts, CLUSTER_TRUST_NAME)
    : undefined;
  const rows = tables.reduce((sum, { objects }) => sum + objects.length, unknownRows.length);
  const { state, master } = vault;
  const seal = (row: ArchiveRow) =>
    vault.isSealed(row.kind) ? { ...row, json: vault.seal(row, state) as string } : row;
  return {
    about: {
      ...(trust ? { clusterId: trust.spec.clusterId } : {}),
      ...(state ? { masterKey: state.spec.master.id } : {}),
      revision: store.revision,
      rows,
    },
    sign: master && ((sha256) => archiveMacOf(master.bytes, sha256)),
    rows: allRows(tables, unknownRows as readonly ArchiveRow[], seal),
  };
}

function* allRows(
  tables: readonly { readonly kind: Kind; readonly objects: readonly StoredObject[] }[],
  unknown: readonly ArchiveRow[],
  seal: (row: ArchiveRow) => ArchiveRow,
): Generator<ArchiveRow> {
  for (const { kind, objects } of tables) {
    for (const object of objects) {
      const revision = Number(object.metadata.resourceVersion);
      yield seal({ kind: kind.name, key: keyOf(object), revision, json: JSON.stringify(object) });
    }
  }
  yield* unknown;
}
