import type { KubernetesObject } from "../../client/dialects/kubernetes.ts";
import type { MarathonKind } from "../../client/dialects/marathon.ts";
import type { UnitOption } from "../../model/pod.ts";
import type { Workload } from "../../model/workload.ts";

/** One file as it was read. */
export interface InputFile {
  /** As it is shown in messages. */
  readonly shown: string;
  /** Last part of its path; undefined for standard input. */
  readonly baseName?: string;
  readonly text: string;
}

/** Where something was given: `web.yaml:12`, `app.json: item 3`. */
export interface Place {
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
  /** From 1, in a file of several. */
  readonly item?: number;
}

interface UnitItem {
  readonly dialect: "fleet";
  readonly name: string;
  readonly options: readonly UnitOption[];
  /** The line of each option. */
  readonly lines?: readonly number[];
}

interface MarathonItem {
  readonly dialect: "marathon";
  readonly kind: MarathonKind;
  readonly id: string;
  readonly body: object;
}

interface KubernetesItem {
  readonly dialect: "kubernetes";
  readonly object: KubernetesObject;
}

/** An instance to be made from a template that the server has. */
interface InstanceItem {
  readonly dialect: "fleet-instance";
  readonly name: string;
  readonly template: string;
}

/** One thing to apply, recognised and complete. `warnings` are whole lines. */
export type Item = { readonly place: Place; readonly warnings: readonly string[] } & (
  | UnitItem
  | InstanceItem
  | MarathonItem
  | KubernetesItem
);

/** The input is at fault; the message names file, line, column or field. */
export class InputError extends Error {
  override readonly name = "InputError";

  constructor(place: Place, message: string) {
    super(`${placeText(place)}: ${message}`);
  }
}

export function placeText({ file, line, column, item }: Place): string {
  const position = [line, column].filter((number) => number !== undefined).join(":");
  return `${file}${position === "" ? "" : `:${position}`}${item === undefined ? "" : `: item ${item}`}`;
}

/** What people call it: `unit hello.service`, `app /web`, `ReplicationController shop/web`. */
export function itemTitle(item: Item): string {
  switch (item.dialect) {
    case "fleet":
    case "fleet-instance":
      return title({ dialect: "fleet", kind: "Unit", name: item.name });
    case "marathon":
      return title({ dialect: "marathon", kind: item.kind, name: item.id });
    case "kubernetes": {
      const { kind, metadata } = item.object;
      return title({ ...metadata, dialect: "kubernetes", kind, name: metadata.name ?? `${metadata.generateName}…` });
    }
  }
}

/** The same words for what the server has. */
export function workloadTitle(workload: Pick<Workload, "dialect" | "kind" | "name" | "namespace">): string {
  return title(workload);
}

interface Titled {
  readonly dialect: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
}

function title({ dialect, kind, name, namespace }: Titled): string {
  const word = dialect === "kubernetes" ? kind : kind.toLowerCase();
  return `${word} ${namespace === undefined || namespace === "default" ? name : `${namespace}/${name}`}`;
}
