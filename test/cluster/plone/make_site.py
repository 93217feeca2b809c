"""make_site.py, run by `zconsole run`: the Plone site before the first day, with a folder for each writer of load-main.ts."""

import transaction
from AccessControl.SecurityManagement import newSecurityManager
from plone import api
from Products.CMFPlone.factory import addPloneSite
from Testing.makerequest import makerequest
from zope.component.hooks import setSite
from zope.globalrequest import setRequest

WRITERS = 4

app = makerequest(app)  # noqa: F821 zconsole's
setRequest(app.REQUEST)
if app.acl_users.getUserById("admin") is None:
    app.acl_users._doAddUser("admin", "secret", ["Manager"], [])
newSecurityManager(None, app.acl_users.getUserById("admin").__of__(app.acl_users))
site = addPloneSite(app, "Plone", title="Trial", distribution_name="classic", setup_content=False)
setSite(site)
for number in range(WRITERS):
    folder = api.content.create(site, "Folder", id=f"writer-{number}", title=f"Writer {number}")
    api.content.transition(folder, "publish")
transaction.commit()
