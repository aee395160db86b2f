"use client";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { useState } from "react";
import { RuleDialog } from "@/components/alerts/rule-dialog";
import { holdWords, ruleWords, windowWords } from "@/components/alerts/rule-words";
import { useMay } from "@/components/shell/me-context";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { EmptyState } from "@/components/ui/empty-state";
import { ErrorState } from "@/components/ui/error-state";
import { FormError } from "@/components/ui/form-error";
import { Section } from "@/components/ui/section";
import { SkeletonRows } from "@/components/ui/skeleton";
import { Status } from "@/components/ui/status";
import { Switch } from "@/components/ui/switch";
import { Table, Tbody, Td, Th, Thead, Tr } from "@/components/ui/table";
import { toast } from "@/components/ui/toast";
import type { AlertRuleView } from "@/lib/alerts/schemas";
import { alertKeys, alertRulesQuery, changeAlertRule, deleteAlertRule } from "@/lib/client/alerts";
import { problemText } from "@/lib/client/form-issues";

/** What is watched, where, and against which limits. */
export function RulesTab({ tenant }: { readonly tenant: string }) {
  const mayWrite = useMay("alerts:write");
  const rules = useQuery(alertRulesQuery(tenant));
  const [editing, setEditing] = useState<AlertRuleView | "new" | null>(null);
  const [deleting, setDeleting] = useState<AlertRuleView | null>(null);
  if (rules.error && !rules.data)
    return <ErrorState title="The rules could not be loaded" error={rules.error} onRetry={rules.refetch} />;
  if (!rules.data) return <SkeletonRows label="Loading rules" />;
  const create = mayWrite ? (
    <Button variant="primary" onClick={() => setEditing("new")}>
      <Plus aria-hidden />
      Create rule
    </Button>
  ) : null;
  return (
    <Section
      title="Rules"
      note="An alert begins when a rule is broken, fires when it was broken for as long as the rule holds it back, and ends by itself."
      actions={create}
    >
      {rules.data.length === 0 ? (
        <EmptyState
          title="No rule"
          why="Nothing is watched. A rule says what is measured, where, and what is too much."
          action={create}
        />
      ) : (
        <Table label="Alert rules">
          <Thead>
            <Tr>
              <Th>On</Th>
              <Th>Rule</Th>
              <Th>Broken when</Th>
              <Th>Over</Th>
              <Th>Fires</Th>
              <Th>Severity</Th>
              <Th>
                <span className="sr-only">Actions</span>
              </Th>
            </Tr>
          </Thead>
          <Tbody>
            {rules.data.map((rule) => (
              <RuleRow
                key={rule.id}
                tenant={tenant}
                rule={rule}
                mayWrite={mayWrite}
                onEdit={() => setEditing(rule)}
                onDelete={() => setDeleting(rule)}
              />
            ))}
          </Tbody>
        </Table>
      )}
      {editing === null ? null : (
        <RuleDialog tenant={tenant} edited={editing === "new" ? null : editing} onClose={() => setEditing(null)} />
      )}
      {deleting === null ? null : <DeleteRule tenant={tenant} rule={deleting} onClose={() => setDeleting(null)} />}
    </Section>
  );
}

type RowProps = {
  readonly tenant: string;
  readonly rule: AlertRuleView;
  readonly mayWrite: boolean;
  readonly onEdit: () => void;
  readonly onDelete: () => void;
};

function RuleSwitch({ tenant, rule, mayWrite }: Pick<RowProps, "tenant" | "rule" | "mayWrite">) {
  const client = useQueryClient();
  const turn = useMutation({
    mutationFn: (enabled: boolean) => changeAlertRule(tenant, { id: rule.id, baseVersion: rule.version, enabled }),
    onSuccess: (saved) => toast.success(`Rule ${saved.name} is ${saved.enabled ? "on" : "off"}.`),
    onError: (cause) => toast.error(problemText(cause)),
    onSettled: () => client.invalidateQueries({ queryKey: alertKeys.all(tenant) }),
  });
  return (
    <Switch
      aria-label={`Rule ${rule.name}`}
      checked={turn.isPending ? turn.variables : rule.enabled}
      disabled={!mayWrite || turn.isPending}
      onCheckedChange={(on) => turn.mutate(on)}
    />
  );
}

function RuleRow({ tenant, rule, mayWrite, onEdit, onDelete }: RowProps) {
  return (
    <Tr>
      <Td className="max-sm:order-last">
        <RuleSwitch tenant={tenant} rule={rule} mayWrite={mayWrite} />
      </Td>
      <Td primary className="max-sm:order-first">
        <span className="flex flex-wrap items-center gap-x-2">
          <span className="font-medium">{rule.name}</span>
          {rule.builtIn ? <Badge>built in</Badge> : null}
          {rule.enabled ? null : <Badge>off</Badge>}
        </span>
      </Td>
      <Td className="max-w-md whitespace-normal max-sm:w-full">{ruleWords(rule)}</Td>
      <Td label="over" hideNarrow={rule.watch !== null}>
        {windowWords(rule)}
      </Td>
      <Td label="fires">{holdWords(rule.holdMinutes)}</Td>
      <Td>
        <Status state={rule.severity} />
      </Td>
      <Td className="text-right max-sm:order-last">
        {mayWrite ? (
          <span className="inline-flex gap-1">
            <Button size="sm" onClick={onEdit} aria-label={`Edit ${rule.name}`}>
              Edit
            </Button>
            {rule.builtIn ? null : (
              <Button size="sm" variant="ghost" onClick={onDelete} aria-label={`Delete ${rule.name}`}>
                Delete
              </Button>
            )}
          </span>
        ) : null}
      </Td>
    </Tr>
  );
}

type DeleteProps = { readonly tenant: string; readonly rule: AlertRuleView; readonly onClose: () => void };

function DeleteRule({ tenant, rule, onClose }: DeleteProps) {
  const client = useQueryClient();
  const remove = useMutation({
    mutationFn: () => deleteAlertRule(tenant, rule.id),
    onSuccess: async () => {
      toast.success(`Rule ${rule.name} deleted.`);
      onClose();
      await client.invalidateQueries({ queryKey: alertKeys.all(tenant) });
    },
  });
  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={`Delete ${rule.name}`}
      description="It is not judged any more, and its open alerts end. Alerts of the past stay."
      action="Delete rule"
      danger
      pending={remove.isPending}
      onConfirm={() => remove.mutate()}
    >
      <FormError>{remove.error ? problemText(remove.error) : null}</FormError>
    </ConfirmDialog>
  );
}
