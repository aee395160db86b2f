"use client";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useMay } from "@/components/shell/me-context";
import { ReasonDialog } from "@/components/ui/reason-dialog";
import { Select } from "@/components/ui/select";
import { toast } from "@/components/ui/toast";
import { problemText } from "@/lib/client/form-issues";
import { changeToolCache, handlingQuery, limitKeys } from "@/lib/client/limits";
import type { ServerDetail, ServerToolView } from "@/lib/servers/schemas";

const TIMES = [
  [0, "never"],
  [5_000, "for 5 s"],
  [30_000, "for 30 s"],
  [60_000, "for 1 min"],
  [300_000, "for 5 min"],
  [3_600_000, "for 1 h"],
] as const;

type Props = { readonly tenant: string; readonly server: ServerDetail; readonly tool: ServerToolView };

/** How long answers of a tool are given again; only for tools that say they read. */
export function ToolCache({ tenant, server, tool }: Props) {
  const { data } = useQuery(handlingQuery(tenant, server.id));
  const mayWrite = useMay("servers:write");
  const client = useQueryClient();
  const [wanted, setWanted] = useState<number | null>(null);
  const change = useMutation({
    mutationFn: (reason: string) =>
      changeToolCache(tenant, { id: server.id, tool: tool.name, ttlMs: wanted ?? 0, reason }),
    onSuccess: async () => {
      toast.success("Saved. It holds within seconds.");
      setWanted(null);
      await client.invalidateQueries({ queryKey: limitKeys.handling(tenant, server.id) });
    },
  });
  if (tool.annotations?.readOnlyHint !== true)
    return <p className="text-sm">never: it does not say that it only reads</p>;
  if (!data) return null;
  const now = data.cached[tool.name] ?? 0;
  const known = TIMES.some(([ms]) => ms === now);
  const options = TIMES.map(([ms, label]) => ({ value: String(ms), label: label as string }));
  return (
    <>
      <Select
        aria-label="Give answers again"
        disabled={!mayWrite}
        value={String(now)}
        onValueChange={(value) => setWanted(Number(value))}
        options={known ? options : [...options, { value: String(now), label: `for ${now} ms` }]}
      />
      {wanted !== null && wanted !== now ? (
        <ReasonDialog
          title={`Kept answers of ${tool.name}`}
          description="Callers who may call the tool may get an answer that was given to another caller with the same arguments. Every call is still decided and recorded."
          action="Change"
          pending={change.isPending}
          error={change.error ? problemText(change.error) : null}
          onConfirm={(reason) => change.mutate(reason)}
          onClose={() => {
            setWanted(null);
            change.reset();
          }}
        />
      ) : null}
    </>
  );
}
