import type { Actor, Role } from "../../http/actor.ts";

/** From `CN=NAME` and `O=styrmann:ROLE` lines, as X509Certificate gives a subject. */
export function actorOfSubject(subject: string): Actor | undefined {
  const values = (field: string) =>
    subject.split("\n").flatMap((line) => (line.startsWith(`${field}=`) ? [line.slice(field.length + 1)] : []));
  const [name] = values("CN");
  if (name === undefined) return undefined;
  return { name, roles: values("O").flatMap((organisation) => ROLE_OF_ORGANISATION[organisation] ?? []) };
}

const ROLE_OF_ORGANISATION: Readonly<Record<string, Role>> = {
  "styrmann:admin": "admin",
  "styrmann:operator": "operator",
  "styrmann:viewer": "viewer",
  "styrmann:node": "node",
  "styrmann:server": "server",
};
