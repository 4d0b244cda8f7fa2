import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { CommandError, type CommandResult, type Commands } from "../../seams/commands.ts";
import { chooseFirewall } from "./choose-firewall.ts";

/** A host with these programs, which say nothing and succeed; `refusing` ones are there, but not for us; `unknown`: a word that no nft of it knows. */
function hostWith(programs: readonly string[], refusing: readonly string[] = [], unknown?: string): Commands {
  const ok: CommandResult = { exitCode: 0, stdout: "", stderr: "" };
  return {
    async run(program, _args, { input = "" } = {}) {
      if (unknown !== undefined && input.includes(unknown))
        return { ...ok, exitCode: 1, stderr: "Operation not supported\n" };
      if (refusing.includes(program)) return { ...ok, exitCode: 1, stderr: "Operation not permitted\n" };
      if (programs.includes(program)) return ok;
      throw new CommandError(`there is no ${program} on this host`, true);
    },
  };
}

describe("the firewall of a host:", () => {
  test("nftables where it is there", async () => {
    assert.equal((await chooseFirewall(hostWith(["nft", "iptables-save"]), "styrmann")).name, "nftables");
  });

  test("nftables forgets first packets without an answer where the kernel lets it", async () => {
    assert.equal((await chooseFirewall(hostWith(["nft"]), "styrmann")).forgetsUnanswered, true);
    const old = await chooseFirewall(hostWith(["nft"], [], "ct timeout"), "styrmann");
    assert.deepEqual([old.name, old.forgetsUnanswered], ["nftables", false]);
  });

  test("iptables where nft is missing, or refuses", async () => {
    assert.equal((await chooseFirewall(hostWith(["iptables-save"]), "styrmann")).name, "iptables");
    assert.equal((await chooseFirewall(hostWith(["iptables-save"], ["nft"]), "styrmann")).name, "iptables");
  });

  test("with neither, what is missing is said, and what to do", async () => {
    await assert.rejects(
      chooseFirewall(hostWith([]), "styrmann"),
      /service addresses are not served on this host: there is no nft on this host; there is no iptables-save on this host. Install nftables: rules that nft made here before stay in force/,
    );
  });
});
