import { type Command, Option } from "commander";
import type { Grant } from "../model/user.ts";
import type { UserReport, WhoAmIReport } from "../model/user-reports.ts";
import { documentOption } from "./inspect.ts";
import { renderYaml } from "./listing.ts";
import { plainJson } from "./plain-text.ts";
import { openSession } from "./session.ts";
import { type Column, renderTable } from "./table.ts";
import type { Terminal } from "./terminal.ts";
import { USERS_PATH, userPath } from "./user-path.ts";
import { registerUserTokens } from "./user-token.ts";

interface GrantOptions {
  readonly role: Grant["role"];
  readonly namespace?: readonly string[];
}

export function register(program: Command, terminal: Terminal): void {
  const user = program
    .command("user")
    .description("People and programs, what they may do, in the cluster or in one namespace, and their tokens.");
  for (const add of [list, show, whoAmI, create, grants, rotateAdminToken, remove, registerUserTokens])
    add(user, terminal);
}

function list(user: Command, terminal: Terminal): void {
  user
    .command("list")
    .description("All users, with what they may do.")
    .addOption(documentOption("text"))
    .action(async ({ output }: { output: string }, command: Command) => {
      const { users } = await openSession(command, terminal).request<{ users: readonly UserReport[] }>(
        "GET",
        USERS_PATH,
      );
      if (output !== "text") return showDocument(terminal, users, output);
      if (users.length === 0)
        return terminal.err("there are no users; the admin's token and the socket are no users\n");
      terminal.out(`${renderTable(USER_COLUMNS, users, { width: terminal.columns, colors: terminal.colors })}\n`);
    });
}

function show(user: Command, terminal: Terminal): void {
  user
    .command("show")
    .description("One user, with the tokens; the secrets of tokens are kept nowhere.")
    .argument("<name>")
    .addOption(documentOption("yaml"))
    .action(async (name: string, { output }: { output: string }, command: Command) => {
      await showDocument(
        terminal,
        await openSession(command, terminal).request<UserReport>("GET", userPath(name)),
        output,
      );
    });
}

function whoAmI(user: Command, terminal: Terminal): void {
  user
    .command("whoami")
    .description("Who you are to the server, and what you may do.")
    .addOption(documentOption("text"))
    .action(async ({ output }: { output: string }, command: Command) => {
      const me = await openSession(command, terminal).request<WhoAmIReport>("GET", "/styr/v1/whoami");
      if (output !== "text") return showDocument(terminal, me, output);
      terminal.out(`${me.name}: ${grantsText(grantsOfReport(me))}\n`);
    });
}

function create(user: Command, terminal: Terminal): void {
  user
    .command("create")
    .description("A new user. A token is made for it with: styr user token create NAME")
    .argument("<name>", "such as anna, anna@example.org or ci-shop")
    .addOption(roleOption())
    .addOption(namespaceOption())
    .option("--about <text>", "who that is")
    .action(async (name: string, options: GrantOptions & { about?: string }, command: Command) => {
      const { about } = options;
      const body = { name, grants: grantsOf(options), ...(about === undefined ? {} : { about }) };
      const made = await openSession(command, terminal).request<UserReport>("POST", USERS_PATH, body);
      terminal.out(`${made.name}: ${grantsText(made.grants)}\n`);
      terminal.err(`next: ${terminal.asTyped(`styr user token create ${name}`)}\n`);
    });
}

function grants(user: Command, terminal: Terminal): void {
  const change = (verb: "grant" | "revoke-grant", method: "PUT" | "DELETE", description: string) =>
    user
      .command(verb)
      .description(description)
      .argument("<name>")
      .addOption(roleOption())
      .addOption(namespaceOption())
      .action(async (name: string, options: GrantOptions, command: Command) => {
        const client = openSession(command, terminal);
        let user: UserReport | undefined;
        for (const one of grantsOf(options)) user = await client.request<UserReport>(method, grantPath(name, one));
        if (user) terminal.out(`${user.name}: ${grantsText(user.grants)}\n`);
      });
  change("grant", "PUT", "Lets a user do more; in force at once.");
  change("revoke-grant", "DELETE", "Takes a right back, at once; what the user has open is cut.");
}

function rotateAdminToken(user: Command, terminal: Terminal): void {
  user
    .command("rotate-admin-token")
    .description(
      "Another token for the admin named admin, at the server that is asked; the old one opens nothing more.",
    )
    .action(async (_options: object, command: Command) => {
      const { token } = await openSession(command, terminal).request<{ token: string }>("POST", "/styr/v1/admin-token");
      terminal.out(`${token}\n`);
      terminal.err("It is in pki/admin.token of that server, too. The one before opens nothing any more.\n");
    });
}

function remove(user: Command, terminal: Terminal): void {
  user
    .command("delete")
    .description("Forgets a user with all tokens.")
    .argument("<name>")
    .action(async (name: string, _options: object, command: Command) => {
      await openSession(command, terminal).request("DELETE", userPath(name));
      terminal.out(`${name} deleted\n`);
    });
}

function roleOption(): Option {
  return new Option("--role <role>", "what they may do").choices(["admin", "operator", "viewer"]).makeOptionMandatory();
}

function namespaceOption(): Option {
  return new Option(
    "--namespace <name>",
    "in this namespace alone, as often as you like; units are in fleet, apps in marathon",
  ).argParser((name: string, all: readonly string[] = []) => [...all, name]);
}

function grantsOf({ role, namespace }: GrantOptions): readonly Grant[] {
  return namespace === undefined ? [{ role }] : namespace.map((one) => ({ role, namespace: one }));
}

function grantPath(name: string, { role, namespace }: Grant): string {
  const query = namespace === undefined ? "" : `?namespace=${encodeURIComponent(namespace)}`;
  return `${userPath(name)}/grants/${role}${query}`;
}

const USER_COLUMNS: readonly Column<UserReport>[] = [
  { title: "NAME", cell: ({ name }) => name, firm: true },
  { title: "MAY", cell: ({ grants }) => grantsText(grants) },
  { title: "TOKENS", cell: ({ tokens }) => tokensText(tokens), firm: true },
  { title: "ABOUT", cell: ({ about }) => about ?? "", dropRank: 1 },
];

function tokensText(tokens: UserReport["tokens"]): string {
  const expired = tokens.filter(({ isExpired }) => isExpired).length;
  return expired === 0 ? String(tokens.length) : `${tokens.length - expired}, ${expired} expired`;
}

/** `operator`, `viewer in shop, mail`. */
export function grantsText(grants: readonly Grant[]): string {
  if (grants.length === 0) return "nothing";
  const roles = [...new Set(grants.map(({ role }) => role))].sort();
  return roles.map((role) => roleText(role, grants)).join("; ");
}

function roleText(role: Grant["role"], grants: readonly Grant[]): string {
  const of = grants.filter((grant) => grant.role === role);
  const places = of.flatMap(({ namespace }) => namespace ?? []).sort();
  return of.some(({ namespace }) => namespace === undefined) ? role : `${role} in ${places.join(", ")}`;
}

function grantsOfReport({ roles, rolesIn }: WhoAmIReport): readonly Grant[] {
  const scoped = Object.entries(rolesIn).flatMap(([namespace, some]) => some.map((role) => ({ role, namespace })));
  return [...roles.map((role) => ({ role })), ...scoped] as readonly Grant[];
}

async function showDocument(terminal: Terminal, value: unknown, output: string): Promise<void> {
  terminal.out(output === "json" ? `${plainJson(JSON.stringify(value, null, 2))}\n` : await renderYaml(value));
}
