/** Kubernetes' ObjectMeta, as stored. Times are RFC 3339 text. */
export interface ObjectMeta {
  readonly name: string;
  /** Absent for kinds that belong to the cluster. */
  readonly namespace?: string;
  /** Given by the store at creation; never changes, never comes back. */
  readonly uid: string;
  /** The store's revision of the last change, in decimal. */
  readonly resourceVersion: string;
  /** Counts changes of `spec`; 1 at creation. */
  readonly generation: number;
  readonly creationTimestamp: string;
  readonly generateName?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly OwnerReference[];
  readonly finalizers?: readonly string[];
  /** Set once somebody asked for deletion; the object is still there until what it stands for is gone. */
  readonly deletionTimestamp?: string;
  readonly deletionGracePeriodSeconds?: number;
}

export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
  readonly blockOwnerDeletion?: boolean;
}

/** What every stored object has. */
export interface StoredObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
}

/** An object before the store has seen it: uid, resourceVersion, generation and creationTimestamp are the store's to give. */
export type Draft<T extends StoredObject> = Omit<T, "metadata"> & {
  readonly metadata: Omit<ObjectMeta, "uid" | "resourceVersion" | "generation" | "creationTimestamp"> & {
    readonly uid?: string;
  };
};

/** A table of the store: its name, the API it is known by, and the indexes it keeps. Kinds are values, so a personality can bring its own. */
export interface Kind<T extends StoredObject = StoredObject> {
  readonly name: string;
  readonly apiVersion: string;
  readonly namespaced: boolean;
  /** Encrypted in the journal and in backups. */
  readonly isSealed?: true;
  /** Never shown as an object: it has commands of its own. */
  readonly isHidden?: true;
  /** Index name → the values under which an object is found. Must depend on the object alone. */
  readonly indexes: Readonly<Record<string, IndexValues<T>>>;
}

/** A method's parameter, so that a `Kind<Pod>` is a `Kind`: the store calls each kind's indexes with that kind's objects only. */
type IndexValues<T> = { valuesOf(object: T): readonly string[] }["valuesOf"];

/** Every kind has these two indexes beside its own. */
export const OWNER_INDEX = "owner";
const NAMESPACE_INDEX = "namespace";

/** Declares a kind. Called once per kind, in its model file. */
export function defineKind<T extends StoredObject>(
  name: T["kind"],
  apiVersion: string,
  scope: "namespaced" | "cluster",
  indexes: Kind<T>["indexes"] = {},
  nature: Pick<Kind, "isSealed" | "isHidden"> = {},
): Kind<T> {
  return {
    ...nature,
    name,
    apiVersion,
    namespaced: scope === "namespaced",
    indexes: {
      [OWNER_INDEX]: (object) => object.metadata.ownerReferences?.map((owner) => owner.uid) ?? [],
      [NAMESPACE_INDEX]: (object) => (object.metadata.namespace === undefined ? [] : [object.metadata.namespace]),
      ...indexes,
    },
  };
}

/** The key of an object in its table: `namespace/name`, or `name` for cluster kinds. */
export function keyOf(object: { readonly metadata: { readonly name: string; readonly namespace?: string } }): string {
  const { namespace, name } = object.metadata;
  return namespace === undefined ? name : `${namespace}/${name}`;
}

/** The owner that manages this object, if one does. */
export function controllerOf(object: StoredObject): OwnerReference | undefined {
  return object.metadata.ownerReferences?.find((owner) => owner.controller === true);
}

/** A controlling owner reference to `owner`. */
export function ownedBy(owner: StoredObject): OwnerReference {
  return {
    apiVersion: owner.apiVersion,
    kind: owner.kind,
    name: owner.metadata.name,
    uid: owner.metadata.uid,
    controller: true,
    blockOwnerDeletion: true,
  };
}
