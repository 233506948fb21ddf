"""What the vendor's pages tell of each method beyond crm.*: the members of its answer with their types, whether it has a total, and
its refusals with status, code and text. Tables of facts (sections 2.3, 4.5, 9, 10, 13); where pages and facts differ the facts count."""
import json
import time
import unittest
import urllib.request

from support.harness import Scenario, wait_for
from support.listener import Listener

# Types: s text, i and f numbers, b boolean, n null, l list, o object. A member of every row of a list begins with [],
# of an object whose keys are numbers with *.
TIME = 'start:fi finish:fi duration:fi processing:fi date_start:s date_finish:s operating_reset_at:i operating:fi'
OFFLINE = 'ID:s TIMESTAMP_X:s EVENT_NAME:s EVENT_DATA:o EVENT_DATA.FIELDS:o EVENT_DATA.FIELDS.ID:i EVENT_ADDITIONAL:b MESSAGE_ID:s'
PERSON = 'id:s name:s link:s icon:s workPosition:s'


def under(prefix, members):
    return ' '.join('%s.%s' % (prefix, member) for member in members.split())


TASK = ('id:s parentId:sn title:s description:s priority:s status:s subStatus:s groupId:s stageId:s createdBy:s createdDate:s '
        'responsibleId:s changedDate:s activityDate:s deadline:sn closedDate:n commentsCount:s mark:s accomplices:l accomplicesData:l '
        'auditors:l auditors[]:s tags:l dateStart:n startDatePlan:n endDatePlan:n timeEstimate:s timeSpentInLogs:n '
        'allowChangeDeadline:s allowTimeTracking:s matchWorkTime:s descriptionInBbcode:s favorite:s isPinned:s isPinnedInGroup:s '
        'sorting:n group:lo group.id:s group.name:s creator:o responsible:o auditorsData:lo auditorsData.*:o '
        + ' '.join(under(whose, PERSON) for whose in ('creator', 'responsible', 'auditorsData.*')))
USER = ('ID:s ACTIVE:b NAME:s LAST_NAME:s SECOND_NAME:s EMAIL:s LAST_LOGIN:s DATE_REGISTER:s TIME_ZONE:s IS_ONLINE:s TIMESTAMP_X:so '
        'LAST_ACTIVITY_DATE:so PERSONAL_GENDER:s PERSONAL_WWW:s PERSONAL_BIRTHDAY:s PERSONAL_MOBILE:s PERSONAL_CITY:s WORK_PHONE:s '
        'WORK_POSITION:s UF_EMPLOYMENT_DATE:s UF_DEPARTMENT:l UF_DEPARTMENT[]:i USER_TYPE:s')
CALL = ('ID:s PORTAL_USER_ID:s PORTAL_NUMBER:s PHONE_NUMBER:s CALL_ID:s EXTERNAL_CALL_ID:n CALL_CATEGORY:s CALL_LOG:sn '
        'CALL_DURATION:s CALL_START_DATE:s CALL_RECORD_URL:sn CALL_VOTE:sn COST:s COST_CURRENCY:s CALL_FAILED_CODE:s '
        'CALL_FAILED_REASON:s CRM_ENTITY_TYPE:sn CRM_ENTITY_ID:sn CRM_ACTIVITY_ID:sn REST_APP_ID:sn REST_APP_NAME:sn '
        'TRANSCRIPT_ID:sn TRANSCRIPT_PENDING:s SESSION_ID:sn REDIAL_ATTEMPT:n COMMENT:n RECORD_DURATION:n RECORD_FILE_ID:in '
        'CALL_TYPE:s')
FILE = 'ATTACHMENT_ID:s NAME:s SIZE:s FILE_ID:s DOWNLOAD_URL:s VIEW_URL:s'
COMMENT = ('POST_MESSAGE_HTML:n ID:s AUTHOR_ID:s AUTHOR_NAME:s AUTHOR_EMAIL:s POST_DATE:s POST_MESSAGE:s ATTACHED_OBJECTS:o '
           'ATTACHED_OBJECTS.*:o ' + under('ATTACHED_OBJECTS.*', FILE))
BATCH = ('result:o result_error:o result_total:o result_next:l result_time:o result_error.bad:o result_error.bad.error:s '
         'result_error.bad.error_description:s result_total.one:i result_time.one:o result.one:l result.one[]:o '
         + under('result_time.one', TIME) + ' ' + under('result.one[]', USER))
SPENT = 'ID:s TASK_ID:s USER_ID:s COMMENT_TEXT:s SECONDS:s MINUTES:s SOURCE:s CREATED_DATE:s DATE_START:s DATE_STOP:s'

RIGHTS_3 = ('read watch mute createResult edit remove complete approve disapprove start take delegate defer renew deadline datePlan '
            'changeDirector changeResponsible changeAccomplices pause timeTracking mark changeStatus reminder addAuditors '
            'elapsedTime favorite checklistAdd checklistEdit checklistSave checklistToggle automate resultEdit completeResult '
            'removeResult resultRead admin createSubtask copy saveAsTemplate attachFile detachFile detachParent '
            'createGanttDependence sort')
TASK_3 = ('id:i title:s description:s deadline:sn needsControl:b startPlan:sn endPlan:sn fileIds:n checklist:l epicId:n '
          'storyPoints:n priority:s status:s statusChanged:sn parentId:in containsChecklist:b containsSubTasks:b '
          'containsRelatedTasks:b containsGanttLinks:b containsPlacements:b containsResults:b numberOfReminders:i chatId:in '
          'plannedDuration:i actualDuration:i durationType:s started:sn estimatedTime:i replicate:b changed:s closed:sn '
          'activity:s guid:s xmlId:n exchangeId:n exchangeModified:n outlookVersion:i mark:s allowsChangeDeadline:b '
          'allowsTimeTracking:b matchesWorkTime:b addInReport:n isMultitask:b siteId:s deadlineCount:n declineReason:n '
          'forumTopicId:n link:s rights:o archiveLink:sn crmItemIds:l requireResult:b matchesSubTasksTime:b '
          'autocompleteSubTasks:b allowsChangeDatePlan:b maxDeadlineChangeDate:n maxDeadlineChanges:n '
          'requireDeadlineChangeReason:b inFavorite:l inPin:l inGroupPin:l inMute:l dependsOn:l scenarios:l scenarios[]:s creatorId:i '
          'created:s responsibleId:i groupId:in'
          + ' ' + under('rights', ' '.join(name + ':b' for name in RIGHTS_3.split())))

# (method, parameters, what `result` is, its members, whether there is a total). By a webhook.
OF_WEBHOOK = [
    ('profile', {}, 'o', 'ID:s ADMIN:b NAME:s LAST_NAME:s PERSONAL_GENDER:s TIME_ZONE:s', False),
    ('scope', {}, 'l', '[]:s', False),
    ('methods', {}, 'l', '[]:s', False),
    ('method.get', {'name': 'user.get'}, 'o', 'isExisting:b isAvailable:b', False),
    ('server.time', {}, 's', '', False),
    ('feature.get', {'CODE': 'rest_offline_extended'}, 'o', 'value:s', False),
    ('user.get', {}, 'l', '[]:o ' + under('[]', USER), True),
    ('department.get', {}, 'l', '[]:o ' + under('[]', 'ID:s NAME:s SORT:i PARENT:s UF_HEAD:s'), True),
    ('tasks.task.list', {}, 'o', 'tasks:l tasks[]:o ' + under('tasks[]', TASK), True),
    ('task.commentitem.getlist', {'TASKID': 2}, 'l', '[]:o ' + under('[]', COMMENT), False),
    ('task.elapseditem.getlist', {'TASKID': 2}, 'l', '[]:o ' + under('[]', SPENT), True),
    ('voximplant.statistic.get', {}, 'l', '[]:o ' + under('[]', CALL), True),
    ('batch', {'cmd': {'one': 'user.get?start=-1&ID=1', 'bad': 'nosuch'}}, 'o', BATCH, False),
]
OF_APPLICATION = [
    ('app.info', {}, 'o', 'ID:i CODE:s VERSION:i STATUS:s INSTALLED:b PAYMENT_EXPIRED:s DAYS:n LANGUAGE_ID:s LICENSE:s '
                          'LICENSE_TYPE:s LICENSE_FAMILY:s', False),
    ('app.option.set', {'options': {'data': 'value'}}, 'b', '', False),
    ('app.option.get', {}, 'o', 'data:s', False),
    ('app.option.get', {'option': 'data'}, 's', '', False),
    ('app.option.get', {'option': 'nosuch'}, 'n', '', False),
    ('user.option.set', {'options': {'data': 'value'}}, 'b', '', False),
    ('user.option.get', {}, 'o', 'data:s', False),
    ('events', {}, 'l', '[]:s', False),
    ('event.get', {}, 'l', '[]:o [].event:s [].handler:s [].auth_type:s [].offline:i', False),
    ('event.offline.list', {}, 'l', '[]:o ' + under('[]', OFFLINE + ' PROCESS_ID:s ERROR:s'), True),
    ('event.offline.get', {'limit': 1}, 'o', 'process_id:n events:l events[]:o ' + under('events[]', OFFLINE), False),
    ('event.offline.get', {'clear': 0}, 'o', 'process_id:s events:l events[]:o ' + under('events[]', OFFLINE), False),
    ('event.offline.clear', {'process_id': 'nosuch'}, 'b', '', False),
    ('event.offline.error', {'process_id': 'nosuch'}, 'b', '', False),
    ('event.test', {'any': 'data'}, 'i', '', False),
    ('event.unbind', {'event': 'ONAPPTEST', 'handler': 'http://127.0.0.1:9/none'}, 'o', 'count:i', False),
]

# (method, parameters, status, code, text)
ARGUMENT = 'TASKS_ERROR_EXCEPTION_#256; Param %s for method ctaskcommentitem::getlist() %s; 256/TE/WRONG_ARGUMENTS<br>'
REFUSED_WEBHOOK = [
    ('app.info', {}, 400, 'ACCESS_DENIED', 'Access denied! Application context required'),
    ('app.option.get', {}, 403, 'ACCESS_DENIED', 'Access denied! Application context required'),    # the facts'; the page: a quirk
    ('feature.get', {}, 400, 'CODE_EMPTY', 'CODE can\'t be empty'),
    ('feature.get', {'CODE': ''}, 400, 'CODE_EMPTY', 'CODE can\'t be empty'),
    ('nosuch', {}, 404, 'ERROR_METHOD_NOT_FOUND', 'Method not found!'),
    ('rest.documentation.openapi', {}, 404, 'ERROR_METHOD_NOT_FOUND', 'Method not found!'),     # of REST 3.0 alone
    ('tasks.task.list', {'order': {'NOSUCH': 'asc'}}, 400, '0', 'Invalid sorting key (internal error)'),
    ('tasks.task.list', {'order': {'STATUS': 'asc'}}, 400, '0', 'Invalid sorting key (internal error)'),
    ('tasks.task.list', {'order': {'TIT': 'asc'}}, 400, '0', 'Invalid sorting key (internal error)'),
    ('task.commentitem.getlist', {'TASKID': 999999}, 400, 'ERROR_CORE',
     'TASKS_ERROR_EXCEPTION_#8; Action failed; 8/TE/ACTION_FAILED_TO_BE_PROCESSED<br>'),
    ('task.commentitem.getlist', {'TASKID': 'x'}, 400, 'ERROR_CORE',
     ARGUMENT % ('#0 (taskId)', 'expected to be of type "integer", but given something else.')),
    ('task.commentitem.getlist', {'TASKID': 2, 'ORDER': {'>=POST_DATE': 'asc'}}, 400, 'ERROR_CORE',
     ARGUMENT % ('#1 (arOrder)', 'must not contain key ">=POST_DATE".')),
    ('task.commentitem.getlist', {'TASKID': 2, 'FILTER': {'%POST_DATE': 'x'}}, 400, 'ERROR_CORE',
     ARGUMENT % ('#2 (arFilter)', 'must not contain key "%POST_DATE".')),
    ('task.elapseditem.getlist', {'TASKID': 999999}, 400, 'ERROR_CORE', 'ACTION_NOT_ALLOWED'),
]
REFUSED_APPLICATION = [
    ('app.option.set', {'options': []}, 400, 'ArgumentNullException', 'options is empty'),
    ('user.option.set', {'options': []}, 400, 'ArgumentNullException', 'options is empty'),
    ('event.bind', {'event': 'nosuch', 'handler': 'http://127.0.0.1:9/'}, 400, 'ERROR_EVENT_NOT_FOUND', 'Event not found'),
]
OFFLINE_ADMIN = 'Access denied! Offline events %s requires administrator access rights'
OTHERS_ADMIN = 'Access denied! Event %s with AUTH_TYPE requires administrator access rights'
REFUSED_GUEST = [
    ('app.option.set', {'options': {'a': 1}}, 400, 'AccessException', 'Administrator authorization required'),
    ('event.bind', {'event': 'ONCRMDEALADD', 'event_type': 'offline'}, 403, 'ACCESS_DENIED', OFFLINE_ADMIN % 'binding'),
    ('event.unbind', {'event': 'ONCRMDEALADD', 'event_type': 'offline'}, 403, 'ACCESS_DENIED', OFFLINE_ADMIN % 'unbinding'),
    ('event.bind', {'event': 'ONCRMDEALADD', 'handler': 'http://a.b/', 'auth_type': 15}, 403, 'ACCESS_DENIED', OTHERS_ADMIN % 'binding'),
    ('event.unbind', {'event': 'ONCRMDEALADD', 'handler': 'http://a.b/', 'auth_type': 15}, 403, 'ACCESS_DENIED',
     OTHERS_ADMIN % 'unbinding'),
] + [('event.offline.' + name, {'process_id': 'a'}, 403, 'ACCESS_DENIED', 'Access denied!') for name in ('get', 'list', 'clear', 'error')]
REFUSED_KEYLESS = [
    (method, dict(parameters, auth_connector='key'), 403, 'ACCESS_DENIED', 'Access denied! Available only on extended plans')
    for method, parameters in (('event.bind', {'event': 'ONCRMDEALADD', 'event_type': 'offline'}), ('event.offline.get', {}),
                               ('event.offline.list', {}))]

# What a task may be sorted by, and what it may not.
SORTED = ('ID TITLE TIME_SPENT_IN_LOGS DATE_START CREATED_DATE CHANGED_DATE CLOSED_DATE ACTIVITY_DATE START_DATE_PLAN END_DATE_PLAN '
          'DEADLINE REAL_STATUS STATUS_COMPLETE PRIORITY MARK CREATED_BY_LAST_NAME RESPONSIBLE_LAST_NAME GROUP_ID TIME_ESTIMATE '
          'ALLOW_CHANGE_DEADLINE ALLOW_TIME_TRACKING MATCH_WORK_TIME FAVORITE SORTING IS_PINNED IS_PINNED_IN_GROUP')
SORTED_3 = ('id title creatorId created responsibleId deadline startPlan endPlan groupId priority status started estimatedTime changed '
            'closed activity mark allowsChangeDeadline allowsTimeTracking')

# Of each event to an application: members of auth, of data.
OWN = {'domain', 'server_endpoint', 'client_endpoint', 'member_id', 'application_token'}
ACCESS = OWN | {'access_token', 'expires_in', 'scope', 'status'}
LASTING = ACCESS | {'refresh_token'}
EVENTS = {
    'ONAPPINSTALL': (LASTING, {'VERSION', 'ACTIVE', 'INSTALLED', 'LANGUAGE_ID'}),
    'ONAPPUPDATE': (LASTING, {'VERSION', 'PREVIOUS_VERSION', 'LANGUAGE_ID'}),
    'ONAPPUNINSTALL': (OWN, {'LANGUAGE_ID', 'CLEAN'}),
    'ONOFFLINEEVENT': (LASTING, set()),
    'ONAPPTEST': (ACCESS, {'QUERY', 'LANGUAGE_ID'}),
    'ONCRMDEALUPDATE': (ACCESS, {'FIELDS'}),
}


def kind(value):
    for letter, types in (('n', type(None)), ('b', bool), ('i', int), ('f', float), ('s', str), ('l', list)):
        if isinstance(value, types):
            return letter
    return 'o'


def shape(value, path='', into=None):
    """{path: set of kinds}"""
    into = {} if into is None else into
    into.setdefault(path, set()).add(kind(value))
    if isinstance(value, dict):
        counted = value and all(key.isdigit() for key in value)
        for key, one in value.items():
            shape(one, '%s%s%s' % (path, '.' if path else '', '*' if counted else key), into)
    if isinstance(value, list):
        for one in value:
            shape(one, path + '[]', into)
    return into


def wanted(members):
    return {name: set(kinds) for name, kinds in (member.rsplit(':', 1) for member in members.split())}


class Facts(Scenario):
    def portal(self, *options, **more):
        """With this seed task 2 has several comments, with attachments and without."""
        return self.sandbox('--app', '1', *options, seed=1, scope='crm,user,department,task,telephony', deals=20, contacts=5,
                            companies=5, leads=5, tariff='off', **more)

    def by_webhook(self, sandbox, method, parameters):
        request = urllib.request.Request(sandbox.url + method, json.dumps(parameters).encode(), {'Content-Type': 'application/json'})
        return sandbox.answer_of(request)

    def by_application(self, sandbox, method, parameters):
        return sandbox.ask(method, dict(parameters, auth=sandbox.get('events')['access_token']))

    def told(self, asks, sandbox, rows):
        for method, parameters, result, members, total in rows:
            with self.subTest(method=method, parameters=parameters):
                status, answer = asks(sandbox, method, parameters)
                self.assertEqual(200, status, answer)
                self.assertEqual({'result', 'time'} | ({'total'} if total else set()), set(answer) - {'next'})
                self.fits(TIME, answer['time'])
                self.assertEqual(result, kind(answer['result']))
                self.fits(members, answer['result'])

    def fits(self, members, value):
        found, facts = shape(value), wanted(members)
        found.pop('', None)
        self.assertEqual(set(facts), set(found))
        self.assertEqual({}, {name: kinds for name, kinds in found.items() if not kinds <= facts[name]})

    def refused(self, asks, sandbox, rows):
        for method, parameters, *expected in rows:
            with self.subTest(method=method, parameters=parameters):
                status, answer = asks(sandbox, method, parameters)
                self.assertEqual(expected, [status, answer.get('error'), answer.get('error_description')])
                self.assertEqual({'error', 'error_description'}, set(answer))

    def test_members_of_each_answer(self):
        sandbox = self.portal()
        self.told(self.by_webhook, sandbox, OF_WEBHOOK)
        for more in {'event': 'ONCRMDEALUPDATE', 'event_type': 'offline'}, {'event': 'ONCRMDEALADD', 'handler': 'http://127.0.0.1:9/'}:
            self.assertEqual(True, sandbox.app('event.bind', **more)['result'])
        sandbox.post('change?entity=deals&count=3&kind=update')
        self.told(self.by_application, sandbox, OF_APPLICATION)

    def test_refusals(self):
        sandbox = self.portal()
        self.refused(self.by_webhook, sandbox, REFUSED_WEBHOOK)
        self.refused(self.by_application, sandbox, REFUSED_APPLICATION)
        self.refused(self.by_application, self.portal('--quirk', 'no-admin'), REFUSED_GUEST)
        keyless = self.portal('--quirk', 'no-connector')
        self.refused(self.by_application, keyless, REFUSED_KEYLESS)
        self.assertEqual(True, keyless.app('event.bind', event='ONCRMDEALADD', event_type='offline')['result'])

    def test_what_methods_and_rights_there_are(self):
        sandbox = self.portal()
        sandbox.post('scope?allow=crm')
        ask = lambda method, **parameters: self.by_webhook(sandbox, method, parameters)[1]['result']
        self.assertEqual(['crm'], ask('scope'))
        self.assertEqual(['crm', 'user', 'department', 'task', 'telephony'], ask('scope', full=True))
        self.assertEqual(['user.get'], ask('methods', scope='user'))
        self.assertEqual([], ask('methods', scope='nosuch'))
        whole, mine, common = (set(ask('methods', **more)) for more in ({'full': True}, {}, {'scope': ''}))
        self.assertLess(mine, whole)
        self.assertNotIn('user.get', mine)
        self.assertIn('crm.deal.list', mine - common)
        self.assertLessEqual({'batch', 'profile', 'scope', 'event.bind'}, common)
        none = {'isExisting': False, 'isAvailable': False}
        self.assertEqual([none] * 3, [ask('method.get', **more) for more in ({}, {'name': ''}, {'name': 'app.info1'})])
        self.assertEqual({'isExisting': True, 'isAvailable': False}, ask('method.get', name='user.get'))

    def test_arguments_by_place(self):
        sandbox = self.portal()
        ids = lambda arguments: [int(row['ID']) for row in self.by_webhook(sandbox, 'task.commentitem.getlist', arguments)[1]['result']]
        last_first = ids({'TASKID': 2})
        self.assertGreater(len(last_first), 2)
        self.assertEqual(sorted(last_first, reverse=True), last_first)
        self.assertEqual(last_first[::-1], ids([2, {'ID': 'asc'}]))
        self.assertEqual(last_first[:1], ids([2, {'ID': 'desc'}, {'>ID': last_first[1]}]))
        times = lambda order: [int(row['SECONDS']) for row in self.by_webhook(sandbox, 'task.elapseditem.getlist', order)[1]['result']]
        self.assertEqual(sorted(times([2])), times([2, {'SECONDS': 'asc'}]))
        self.assertEqual(times([2]), times({'TASKID': 2, 'ORDER': {'SECONDS': 'asc'}}), 'by its name it does not count')

    def test_what_is_not_told_may_be_missing(self):
        sandbox = self.portal()
        rows = lambda method, **more: self.by_webhook(sandbox, method, more)[1]['result']
        self.assertEqual([{'ID': '1'}], [{'ID': row['ID']} for row in rows('department.get', PARENT=0)])
        self.assertEqual(1, len([row for row in rows('department.get') if 'PARENT' not in row]))
        self.assertEqual(1, len([row for row in rows('department.get') if 'UF_HEAD' not in row]))
        told = [row.get('WORK_PHONE') for row in rows('user.get')]
        self.assertEqual({'', None}, set(told))
        self.assertEqual(len(told), len(rows('user.get', FILTER={'WORK_PHONE': ''})), 'missing or empty is one to a filter')

    def test_what_tasks_are_sorted_by(self):
        sandbox = self.portal()
        for name in SORTED.split():
            self.assertEqual(200, self.by_webhook(sandbox, 'tasks.task.list', {'order': {name: 'asc'}})[0], name)
        ask = lambda order: sandbox.ask('api/' + sandbox.url.split('/rest/')[1] + 'tasks.task.list', {'order': {order: 'ASC'}})[0]
        self.assertEqual([], [name for name in SORTED_3.split() if ask(name) != 200])
        self.assertEqual([], [name for name in ('description', 'parentId', 'creator', 'nosuch') if ask(name) != 400])
        found = self.by_webhook(sandbox, 'tasks.task.list', {'filter': {'REAL_STATUS': 3}, 'select': ['STATUS']})[1]['result']['tasks']
        self.assertEqual({'3'}, {task['status'] for task in found})

    def test_of_rest_3_time_runs_out_later(self):
        sandbox = self.portal()
        status, answer = sandbox.ask('api/' + sandbox.url.split('/rest/')[1] + 'tasks.task.list', {})
        self.assertEqual(200, status)
        self.fits(TIME, answer['time'])
        self.assertGreater(answer['time']['operating_reset_at'], time.time() + 500)

    def test_members_of_a_task_of_rest_3(self):
        sandbox = self.portal()
        ask = lambda **more: sandbox.ask('api/' + sandbox.url.split('/rest/')[1] + 'tasks.task.get', dict(more, id=2))[1]['result']['item']
        self.fits(TASK_3, ask())
        self.fits('id:i responsible:o responsible.name:s responsible.email:s', ask(select=['id', 'responsible.name', 'responsible.email']))

    def test_the_oauth_server_tells_whose_a_token_is(self):
        sandbox = self.portal()
        told = sandbox.application()
        status, answer = sandbox.ask('app.info', {'auth': told['access_token']}, told['oauth_address'])
        self.assertEqual((200, {'uri': 'http://' + told['address']}), (status, answer['result']['install']))
        self.assertNotIn('install', sandbox.app('app.info')['result'])

    def test_a_reservation_is_known_by_its_number_alone(self):
        sandbox = self.portal()
        sandbox.app('event.bind', event='ONCRMDEALUPDATE', event_type='offline', auth_connector='key')
        sandbox.post('change?entity=deals&count=3&kind=update')
        count = sandbox.app('event.offline.list', auth_connector='key')['total']
        got = sandbox.app('event.offline.get', auth_connector='key', clear=0)['result']
        self.assertEqual(count, len(got['events']))
        sandbox.app('event.offline.error', process_id=got['process_id'])
        failed = {line['ERROR'] for line in sandbox.app('event.offline.list', auth_connector='key')['result']}
        self.assertEqual({'1'}, failed, 'of all of them')
        sandbox.app('event.offline.clear', process_id=got['process_id'])
        self.assertEqual(0, sandbox.app('event.offline.list', auth_connector='key')['total'])

    def test_members_of_each_event(self):
        with Listener() as listener:
            sandbox = self.portal(app_install=listener.url)
            wait_for(lambda: listener.calls, 'the installation')
            sandbox.post('app/update')
            for event in set(EVENTS) - {'ONAPPINSTALL'}:
                sandbox.app('event.bind', event=event, handler=listener.url)
            sandbox.app('event.bind', event='ONCRMDEALUPDATE', event_type='offline')
            sandbox.app('event.test', any='data')
            sandbox.post('set?entity=deals&id=%d' % min(sandbox.truth('deals')), {'TITLE': 'x'})
            met = lambda: {e['event'] for e in listener.events()}
            wait_for(lambda: {'ONAPPTEST', 'ONCRMDEALUPDATE', 'ONOFFLINEEVENT'} <= met(), 'the events')
            sandbox.post('app/update')
            sandbox.app('event.bind', event='ONAPPUNINSTALL', handler=listener.url)
            sandbox.uninstall(clean=True)
            wait_for(lambda: set(EVENTS) <= met(), 'all of them: %s' % met())
            for told in listener.events():
                auth, data = EVENTS[told['event']]
                with self.subTest(event=told['event']):
                    self.assertEqual(auth, {key[5:-1] for key in told if key.startswith('auth[')})
                    self.assertEqual(data, {key[5:].split(']')[0] for key in told if key.startswith('data[')})


if __name__ == '__main__':
    unittest.main()
