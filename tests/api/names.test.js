// SPDX-License-Identifier: Apache-2.0
//
// The names and kinds in doc/api.md, which is printed from the tables, are those of the official clients' models: of each
// action of VPC and ECS every parameter, and every member of its answer.
const test = require('node:test')
const assert = require('node:assert')
const fs = require('node:fs')
const path = require('node:path')

const products = { VPC: require('@alicloud/vpc20160428'), ECS: require('@alicloud/ecs20140526') }

// What the models lack: members that tell more; what is read to be refused (a rule's far end of the other direction, lists
// of ports and of prefixes), or because another product's action of the name has it.
const ours = {
  members: ['StatusInfo', 'MaxResults', 'TotalCount'],
  parameters: ['SourceGroupId', 'SourcePrefixListId', 'DestGroupId', 'DestPrefixListId', 'PortRangeListId', 'SecurityGroupRuleId',
    'ZoneType', 'MaxResults'],
}

// {product: {action: {parameters: [path], members: [path]}}}
function read (file) {
  const found = {}
  let product, action
  for (const line of fs.readFileSync(file, 'utf8').split('\n')) {
    const row = line.match(/^\| `([^`]+)` \| ([^|]+) \|/)
    const heading = line.match(/^(##|###) (\w+)/)
    if (heading?.[1] === '##') product = found[heading[2]] = {}
    else if (heading) action = product[heading[2]] = { parameters: [], members: [], now: null }
    else if (line.startsWith('| parameter |')) action.now = action.parameters
    else if (line.startsWith('| answer |')) action.now = action.members
    else if (row && action?.now) action.now.push(row[1])
  }
  return found
}

// Whether the model has a member at the path ("Vpcs.Vpc.N.VpcId").
function has (model, parts) {
  const [name, ...rest] = parts
  if (!model?.names) return false
  const member = Object.entries(model.names()).find(([, wire]) => wire === name)?.[0]
  if (!member) return false
  let type = model.types()[member]
  if (rest[0] === 'N') {
    if (type?.type !== 'array') return false
    return rest.length === 1 || has(type.itemType, rest.slice(1))
  }
  return rest.length === 0 || has(type, rest)
}

const strangers = (paths, model, known) =>
  paths.map(p => p.split('.')).filter(p => !known.includes(p.at(-1)) && !has(model, p)).map(p => p.join('.'))

const api = read(path.join(__dirname, '../../doc/api.md'))
for (const [product, client] of Object.entries(products)) {
  for (const [action, { parameters, members }] of Object.entries(api[product])) {
    test(`${product} ${action} has the names of the official client`, () => {
      const request = client[`${action}Request`]
      const body = client[`${action}ResponseBody`]
      assert.ok(request && body, 'the client has the action')
      const strange = strangers(parameters, request, ours.parameters).concat(strangers(members, body, ours.members))
      assert.deepStrictEqual(strange, [])
    })
  }
}
