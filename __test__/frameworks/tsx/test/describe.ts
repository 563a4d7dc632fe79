export const describe = (kind: string, number: number, worker: number | undefined): string => `${kind} ${number} of worker ${worker}`;
