/**
 * One story, told over each transport by its reference client: somebody without an account gets
 * one, makes a workflow, watches it, changes it, and sees the change.
 *
 * `connect(token)` makes a client with `iterate({ query, variables })` and `dispose()`.
 */

import assert from "node:assert/strict";

const REGISTER = `mutation ($input: RegisterInput!) {
  register(input: $input) { __typename ... on RegisterPayload { session { accessToken } } }
}`;
const VIEWER = "{ viewer { email } }";
const CREATE = `mutation ($input: CreateWorkflowInput!) {
  createWorkflow(input: $input) { ... on CreateWorkflowPayload { workflow { id revision } } }
}`;
const WATCH = `subscription ($id: ID!) {
  workflowChanged(workflowId: $id) {
    __typename
    ... on StreamEvent { seq }
    ... on WorkflowSnapshot { workflow { name } }
    ... on WorkflowEdited { revision }
  }
}`;
const RENAME = `mutation ($input: UpdateWorkflowInput!) {
  updateWorkflow(input: $input) { ... on UpdateWorkflowPayload { workflow { name revision } } }
}`;

async function only(client, query, variables) {
  const results = [];
  for await (const result of client.iterate({ query, variables })) results.push(result);
  assert.equal(results.length, 1, "a query or mutation has one result");
  assert.equal(results[0].errors, undefined);
  return results[0].data;
}

/** The errors of an operation, however the client reports them. */
async function failure(client, query) {
  try {
    for await (const result of client.iterate({ query })) return result.errors;
  } catch (errors) {
    return errors;
  }
  return [];
}

export async function tell(connect) {
  const email = `${process.pid}.${Date.now()}@example.com`;
  const nobody = connect();
  const [missing] = await failure(nobody, "{ unknown }");
  assert.equal(missing.extensions.code, "GRAPHQL_VALIDATION_FAILED");
  const [stranger] = await failure(nobody, "{ workflows(first: 1) { totalCount } }");
  assert.equal(stranger.extensions.code, "UNAUTHENTICATED");
  const input = { name: "Ada", email, password: "correct horse battery" };
  const { register } = await only(nobody, REGISTER, { input });
  assert.equal(register.__typename, "RegisterPayload");
  await nobody.dispose();

  const ada = connect(register.session.accessToken);
  assert.deepEqual(await only(ada, VIEWER), { viewer: { email } });
  const { createWorkflow } = await only(ada, CREATE, { input: { name: "before" } });
  const { id, revision } = createWorkflow.workflow;

  const events = ada.iterate({ query: WATCH, variables: { id } });
  const snapshot = (await events.next()).value.data.workflowChanged;
  assert.equal(snapshot.__typename, "WorkflowSnapshot");
  assert.equal(snapshot.workflow.name, "before");
  const rename = { workflowId: id, expectedRevision: revision, name: "after" };
  const { updateWorkflow } = await only(ada, RENAME, { input: rename });
  assert.equal(updateWorkflow.workflow.name, "after");
  const edited = (await events.next()).value.data.workflowChanged;
  assert.equal(edited.__typename, "WorkflowEdited");
  assert.equal(edited.seq, snapshot.seq + 1);
  assert.equal(edited.revision, updateWorkflow.workflow.revision);
  await events.return();
  await ada.dispose();
  console.log("the story was told to its end");
}
