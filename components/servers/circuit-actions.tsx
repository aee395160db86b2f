"use client";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useMay } from "@/components/shell/me-context";
import { Button } from "@/components/ui/button";
import { ReasonDialog } from "@/components/ui/reason-dialog";
import { toast } from "@/components/ui/toast";
import { problemText } from "@/lib/client/form-issues";
import { actOnCircuit, serverKeys } from "@/lib/client/servers";
import type { CircuitAct, CircuitKind, ServerDetail } from "@/lib/servers/schemas";

const ACTS: Readonly<
  Record<CircuitAct, { label: string; title: string; description: string; done: string; danger?: true }>
> = {
  trip: {
    label: "Trip",
    title: "Trip the circuit of",
    description: "Every call to the server is refused, in every process, until somebody closes the circuit again.",
    done: "Circuit tripped. No call reaches the server.",
    danger: true,
  },
  close: {
    label: "Close",
    title: "Close the circuit of",
    description: "Calls go through again at once. Failures are counted from the beginning.",
    done: "Circuit closed. Calls go through.",
  },
  disable: {
    label: "Disable",
    title: "Disable the circuit of",
    description: "Calls go through however often they fail, and nothing is counted, until somebody resets the circuit.",
    done: "Circuit disabled. Calls go through however often they fail.",
    danger: true,
  },
  reset: {
    label: "Reset",
    title: "Reset the circuit of",
    description: "Forgets everything counted so far, for the server and for its tools, and closes the circuit.",
    done: "Circuit reset.",
  },
};

const POSSIBLE: Readonly<Record<CircuitKind, readonly CircuitAct[]>> = {
  closed: ["trip", "disable", "reset"],
  open: ["close", "trip", "disable"],
  "half-open": ["close", "trip", "disable"],
  "forced-open": ["close", "disable"],
  disabled: ["reset", "trip"],
};

/** What a person may do to a server's circuit, each with a reason for the trail. */
export function CircuitActions({ tenant, server }: { readonly tenant: string; readonly server: ServerDetail }) {
  const client = useQueryClient();
  const mayWrite = useMay("servers:write");
  const [asking, setAsking] = useState<CircuitAct | null>(null);
  const act = useMutation({
    mutationFn: (input: { act: CircuitAct; reason: string }) => actOnCircuit(tenant, { id: server.id, ...input }),
    onSuccess: async (_, input) => {
      toast.success(ACTS[input.act].done);
      setAsking(null);
      await client.invalidateQueries({ queryKey: serverKeys.all(tenant) });
    },
  });
  if (!mayWrite) return null;
  return (
    <span className="flex flex-wrap gap-2">
      {POSSIBLE[server.circuit.kind].map((each) => (
        <Button key={each} onClick={() => setAsking(each)}>
          {ACTS[each].label} circuit
        </Button>
      ))}
      {asking ? (
        <ReasonDialog
          title={`${ACTS[asking].title} ${server.name}`}
          description={ACTS[asking].description}
          action={`${ACTS[asking].label} circuit`}
          danger={ACTS[asking].danger === true}
          pending={act.isPending}
          error={act.error ? problemText(act.error) : null}
          onConfirm={(reason) => act.mutate({ act: asking, reason })}
          onClose={() => {
            setAsking(null);
            act.reset();
          }}
        />
      ) : null}
    </span>
  );
}
