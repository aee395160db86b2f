"use client";
import { useFormContext } from "react-hook-form";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { slugFrom } from "@/components/ui/slug-from";

export type NameAndSlugProps = {
  /** Where the slug is seen. */
  readonly hint: string;
  /** The slug of something that exists cannot be changed. */
  readonly fixed?: boolean;
};

/** The fields `name` and `slug` of the form around them; the slug follows the name until somebody writes another. */
export function NameAndSlug({ hint, fixed = false }: NameAndSlugProps) {
  const { register, setValue, formState } = useFormContext<{ name: string; slug: string }>();
  const { errors, dirtyFields, isSubmitted } = formState;
  const name = register("name", {
    onChange: (event: { target: { value: string } }) => {
      if (fixed || dirtyFields.slug) return;
      // Once something was found wrong, what has become right must not be called wrong any longer.
      setValue("slug", slugFrom(event.target.value), { shouldValidate: isSubmitted });
    },
  });
  return (
    <>
      <Field label="Name" error={errors.name?.message}>
        <Input autoComplete="off" {...name} />
      </Field>
      <Field label="Slug" hint={hint} error={errors.slug?.message}>
        <Input autoComplete="off" spellCheck={false} className="font-mono" disabled={fixed} {...register("slug")} />
      </Field>
    </>
  );
}
