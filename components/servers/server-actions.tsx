"use client";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRouter } from "next/navigation";
import { useState } from "react";
import { useMay } from "@/components/shell/me-context";
import { Button } from "@/components/ui/button";
import { ReasonDialog } from "@/components/ui/reason-dialog";
import { toast } from "@/components/ui/toast";
import { accessKeys } from "@/lib/client/access";
import { problemText } from "@/lib/client/form-issues";
import { actOnServer, retireServer, serverKeys } from "@/lib/client/servers";
import type { ServerDetail } from "@/lib/servers/schemas";

type Act = "enable" | "disable" | "refresh" | "retire";
const DONE: Readonly<Record<Act, string>> = {
  enable: "is enabled.",
  disable: "is disabled: its tools are listed and called no more.",
  refresh: "was probed again.",
  retire: "is retired.",
};

/** Enable, disable, probe again, retire; the last two of consequence ask first. */
export function ServerActions({ tenant, server }: { readonly tenant: string; readonly server: ServerDetail }) {
  const client = useQueryClient();
  const router = useRouter();
  const mayWrite = useMay("servers:write");
  const [asking, setAsking] = useState<"disable" | "retire" | null>(null);
  const act = useMutation({
    mutationFn: async ({ what, reason }: { what: Act; reason?: string }) => {
      if (what === "retire") await retireServer(tenant, server.id, reason);
      else await actOnServer(tenant, server.id, what, reason);
    },
    onSuccess: async (_, { what }) => {
      toast.success(`${server.name} ${DONE[what]}`);
      setAsking(null);
      if (what === "retire") router.push(`/${tenant}/servers`);
      await Promise.all([
        client.invalidateQueries({ queryKey: serverKeys.list(tenant) }),
        client.invalidateQueries({ queryKey: accessKeys.all(tenant) }),
        what === "retire" ? null : client.invalidateQueries({ queryKey: serverKeys.detail(tenant, server.id) }),
      ]);
    },
    onError: (cause, { what }) => {
      if (what === "enable" || what === "refresh") toast.error(problemText(cause));
    },
  });
  if (!mayWrite) return null;
  const busy = (what: Act) => act.isPending && act.variables.what === what;
  return (
    <>
      <Button pending={busy("refresh")} onClick={() => act.mutate({ what: "refresh" })}>
        Probe again
      </Button>
      {server.status === "enabled" ? (
        <Button onClick={() => setAsking("disable")}>Disable</Button>
      ) : (
        <Button variant="primary" pending={busy("enable")} onClick={() => act.mutate({ what: "enable" })}>
          Enable
        </Button>
      )}
      <Button className="text-bad" onClick={() => setAsking("retire")}>
        Retire
      </Button>
      {asking ? (
        <ReasonDialog
          title={asking === "retire" ? `Retire ${server.name}` : `Disable ${server.name}`}
          description={
            asking === "retire"
              ? "It leaves the register with its tools, mappings and sealed credential. Its entries stay in the trail. Its slug may be used again."
              : "Agents no longer see or call its tools. Nothing is lost; enable it again at any time."
          }
          action={asking === "retire" ? "Retire server" : "Disable server"}
          danger={asking === "retire"}
          pending={act.isPending}
          error={act.error ? problemText(act.error) : null}
          onConfirm={(reason) => act.mutate({ what: asking, reason })}
          onClose={() => {
            setAsking(null);
            act.reset();
          }}
        />
      ) : null}
    </>
  );
}
