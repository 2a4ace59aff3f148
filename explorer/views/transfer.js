// Files to the visitor and from them. Knows no view.

/** Hands a file to the visitor: a blob, or text. */
function handOver(blob, name) {
  if (typeof blob === "string") blob = new Blob([blob], { type: "text/plain" });
  const link = piece("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** The first picture among what was dropped or pasted, or null. */
function pictureIn(transfer) {
  const files = [...(transfer?.files ?? [])];
  return files.find((file) => file.type.startsWith("image/")) ?? files[0] ?? null;
}
