python3 - <<'PYTHON'
import zipfile
def cell(text):
    return f'<c t="inlineStr"><is><t>{text}</t></is></c>' if text else '<c/>'
def save(path, rows):
    with zipfile.ZipFile(path, 'w') as file:
        file.writestr('xl/workbook.xml', '<workbook><sheets><sheet name="A" r:id="a"/></sheets></workbook>')
        file.writestr('xl/_rels/workbook.xml.rels',
            '<Relationships><Relationship Id="a" Type="x/worksheet" Target="a.xml"/></Relationships>')
        rows = ''.join('<row>' + ''.join(map(cell, row)) + '</row>' for row in rows)
        file.writestr('xl/a.xml', f'<worksheet><sheetData>{rows}</sheetData></worksheet>')
save('team.xlsx', [['User-name', 'Password', 'Language', 'Groups'],
    ['carol', 'plover-xyzzy-quux', 'de', 'staff'], ['dave', '', 'fr', 'staff;admins']])
save('people.xlsx', [['Login', 'E-Mail', 'Department'], ['erin', 'erin@example.org', 'staff']])
open('staff.csv', 'wb').write('username;language\r\nj\u00fcrgen;de\r\n'.encode('cp1252'))
PYTHON
# page
test "$(wc -l <passwords.csv)" = 2
test "$(dash-users list --format plain | wc -l)" = 4
test "$(dash-users group list erin --format plain | wc -l)" = 1
