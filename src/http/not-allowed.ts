import { ApiError } from "../model/errors.ts";
import { type Access, type Actor, namespaceOf, namespacesFor } from "./actor.ts";

/** 403 with what a dialect needs to say it in its own words. */
export class NotAllowed extends ApiError {
  readonly actor: string;
  readonly access: Access;
  /** Where it was asked for; undefined: in the whole cluster. */
  readonly namespace: string | undefined;
  /** Where the actor may do it. */
  readonly elsewhere: readonly string[];

  constructor(actor: Actor, access: Access, params: Readonly<Record<string, string>>) {
    const namespace = namespaceOf(access, params);
    const elsewhere = namespacesFor(actor, access) ?? [];
    super("Forbidden", words(actor.name, access, namespace, elsewhere));
    this.actor = actor.name;
    this.access = access;
    this.namespace = namespace;
    this.elsewhere = elsewhere;
  }
}

const VERB_WORDS: Readonly<Partial<Record<Access["verb"], string>>> = {
  admin: "administer",
  exec: "run commands in",
};

function words(name: string, { verb, resource }: Access, at: string | undefined, elsewhere: readonly string[]): string {
  const what = `"${name}" may not ${VERB_WORDS[verb] ?? verb} ${resource}`;
  if (elsewhere.length === 0) return what;
  return `${what} ${at === undefined ? "of the whole cluster" : `in namespace "${at}"`}; allowed in: ${elsewhere.join(", ")}`;
}
