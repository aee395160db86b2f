"use client";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useMay } from "@/components/shell/me-context";
import { Button } from "@/components/ui/button";
import { ReasonDialog } from "@/components/ui/reason-dialog";
import { toast } from "@/components/ui/toast";
import type { AlertView } from "@/lib/alerts/schemas";
import { acknowledgeAlert, alertKeys } from "@/lib/client/alerts";
import { problemText } from "@/lib/client/form-issues";

type Props = { readonly tenant: string; readonly alert: AlertView; readonly size?: "sm" | "md" };

const ACKNOWLEDGE = {
  verb: "Acknowledge",
  title: "Acknowledge this alert",
  says: "Everybody here sees that you look into it. It stays open until what it watches is well again.",
  done: "Acknowledged. The others see that you look into it.",
  minReason: 0,
};
const ADD_NOTE = {
  verb: "Add note",
  title: "Add a note to this alert",
  says: "It becomes part of the alert's history.",
  done: "Note added.",
  minReason: 1,
};

/** Says that one looks into it; afterwards, what one found. Nothing where that may not be said. */
export function AcknowledgeButton({ tenant, alert, size = "md" }: Props) {
  const client = useQueryClient();
  const may = useMay("alerts:acknowledge");
  const [asking, setAsking] = useState(false);
  const act = alert.acknowledged === null && alert.state !== "resolved" ? ACKNOWLEDGE : ADD_NOTE;
  const say = useMutation({
    mutationFn: (note: string) => acknowledgeAlert(tenant, alert.id, note),
    onSuccess: async () => {
      toast.success(act.done);
      setAsking(false);
      await client.invalidateQueries({ queryKey: alertKeys.all(tenant) });
    },
  });
  if (!may) return null;
  return (
    <>
      <Button size={size} onClick={() => setAsking(true)}>
        {act.verb}
        <span className="sr-only">: {alert.reason}</span>
      </Button>
      {asking ? (
        <ReasonDialog
          title={act.title}
          description={`${alert.reason} ${act.says}`}
          action={act === ACKNOWLEDGE ? "Acknowledge alert" : "Add note"}
          label="Note"
          minReason={act.minReason}
          pending={say.isPending}
          error={say.error ? problemText(say.error) : null}
          onConfirm={(note) => say.mutate(note)}
          onClose={() => {
            setAsking(false);
            say.reset();
          }}
        />
      ) : null}
    </>
  );
}
