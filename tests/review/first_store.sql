BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0003');
CREATE TABLE events (
	id INTEGER NOT NULL, 
	queue_id INTEGER NOT NULL, 
	post_id INTEGER NOT NULL, 
	kind VARCHAR(12) NOT NULL, 
	seat TEXT NOT NULL, 
	reviewer TEXT NOT NULL, 
	at TEXT NOT NULL, 
	"before" TEXT, 
	"after" TEXT, 
	score FLOAT, 
	checkpoint TEXT, 
	seconds FLOAT, 
	batch VARCHAR(32) NOT NULL, 
	target INTEGER, 
	parent INTEGER, 
	PRIMARY KEY (id), 
	FOREIGN KEY(queue_id) REFERENCES queues (id), 
	FOREIGN KEY(post_id) REFERENCES posts (id), 
	FOREIGN KEY(target) REFERENCES events (id), 
	FOREIGN KEY(parent) REFERENCES events (id)
);
INSERT INTO "events" VALUES(1,1,1,'decide','','Ann','2026-11-28T23:28:18.042196+00:00',NULL,'{"verdict":"corrected","reviewer":"Ann","at":"2026-11-28T23:28:18.042196+00:00","entities":[{"start":0,"end":2,"label":"PER","score":0.987},{"start":4,"end":5,"label":"LOC","score":0.61}],"links":[{"head":[0,2],"tail":[4,5],"label":"/per/loc/place_of_residence"}]}',0.61,'lite/twitter2017/roberta-resnet50/film',4.25,'641f986447a141b4a6d0da38a93b0be3',NULL,NULL);
INSERT INTO "events" VALUES(2,1,2,'decide','','Ann','2026-11-28T23:28:18.113862+00:00',NULL,'{"verdict":"corrected","reviewer":"Ann","at":"2026-11-28T23:28:18.113862+00:00","entities":[{"start":0,"end":2,"label":"PER","score":0.9},{"start":4,"end":5,"label":"ORG","score":0.8},{"start":6,"end":7,"label":"LOC"}],"links":[{"head":[0,2],"tail":[4,5],"label":"/per/org/member_of"},{"head":[4,5],"tail":[6,7],"label":"/org/loc/locate_at"}]}',0.8,'lite/twitter2017/roberta-resnet50/film',NULL,'a3aed67f7ca64c0abfb1078b5bb3fe00',NULL,NULL);
INSERT INTO "events" VALUES(3,1,3,'decide','','Bob','2026-11-28T23:28:18.147159+00:00',NULL,'{"verdict":"accepted","reviewer":"Bob","at":"2026-11-28T23:28:18.147159+00:00","entities":[],"links":[]}',NULL,'lite/twitter2017/roberta-resnet50/film',NULL,'f3bd28087b0942cca0fe245e27a239ab',NULL,NULL);
INSERT INTO "events" VALUES(4,1,4,'decide','','Bob','2026-11-28T23:28:18.171049+00:00',NULL,'{"verdict":"rejected","reviewer":"Bob","at":"2026-11-28T23:28:18.171049+00:00","entities":[{"start":3,"end":4,"label":"MISC"}],"links":[]}',NULL,NULL,NULL,'53783ba30ff045c0ad0fd80028b42426',NULL,NULL);
INSERT INTO "events" VALUES(5,1,5,'decide','','Cy','2026-11-28T23:28:18.246515+00:00',NULL,'{"verdict":"accepted","reviewer":"Cy","at":"2026-11-28T23:28:18.246515+00:00","entities":[{"start":0,"end":2,"label":"PER","score":0.99},{"start":3,"end":5,"label":"PER","score":0.98}],"links":[]}',0.98,'lite/twitter2017/roberta-resnet50/film',NULL,'4fb15dfed4194511bf53c839b3fae98b',NULL,NULL);
INSERT INTO "events" VALUES(6,1,6,'decide','','Bob','2026-11-28T23:28:18.275996+00:00',NULL,'{"verdict":"corrected","reviewer":"Bob","at":"2026-11-28T23:28:18.275996+00:00","entities":[{"start":1,"end":2,"label":"LOC"}],"links":[]}',NULL,NULL,NULL,'68aea7de1cc946749505e89edb571ae8',NULL,NULL);
INSERT INTO "events" VALUES(7,1,6,'decide','','Ann','2026-11-28T23:28:18.358083+00:00','{"verdict":"corrected","reviewer":"Bob","at":"2026-11-28T23:28:18.275996+00:00","entities":[{"start":1,"end":2,"label":"LOC"}],"links":[]}','{"verdict":"corrected","reviewer":"Ann","at":"2026-11-28T23:28:18.358083+00:00","entities":[{"start":1,"end":2,"label":"ORG"}],"links":[]}',NULL,NULL,NULL,'bd39dbdc7f20434abb5f63c8a8baca6e',NULL,6);
INSERT INTO "events" VALUES(8,1,6,'undo','','Ann','2026-11-28T23:28:18.450166+00:00','{"verdict":"corrected","reviewer":"Ann","at":"2026-11-28T23:28:18.358083+00:00","entities":[{"start":1,"end":2,"label":"ORG"}],"links":[]}','{"verdict":"corrected","reviewer":"Bob","at":"2026-11-28T23:28:18.275996+00:00","entities":[{"start":1,"end":2,"label":"LOC"}],"links":[]}',NULL,NULL,NULL,'b4f64c567c16413896d008effad0861e',7,6);
INSERT INTO "events" VALUES(9,1,3,'decide','','Ann','2026-11-28T23:28:18.534192+00:00','{"verdict":"accepted","reviewer":"Bob","at":"2026-11-28T23:28:18.147159+00:00","entities":[],"links":[]}','{"verdict":"corrected","reviewer":"Ann","at":"2026-11-28T23:28:18.534192+00:00","entities":[{"start":1,"end":2,"label":"PER"}],"links":[]}',NULL,'lite/twitter2017/roberta-resnet50/film',NULL,'57e289eba8264eecb3db701eabd3283a',NULL,3);
INSERT INTO "events" VALUES(10,1,3,'undo','','Ann','2026-11-28T23:28:18.566953+00:00','{"verdict":"corrected","reviewer":"Ann","at":"2026-11-28T23:28:18.534192+00:00","entities":[{"start":1,"end":2,"label":"PER"}],"links":[]}','{"verdict":"accepted","reviewer":"Bob","at":"2026-11-28T23:28:18.147159+00:00","entities":[],"links":[]}',NULL,'lite/twitter2017/roberta-resnet50/film',NULL,'53c3619d3dcf457eba0f56e35f6ff82f',9,3);
INSERT INTO "events" VALUES(11,1,3,'redo','','Ann','2026-11-28T23:28:18.640015+00:00','{"verdict":"accepted","reviewer":"Bob","at":"2026-11-28T23:28:18.147159+00:00","entities":[],"links":[]}','{"verdict":"corrected","reviewer":"Ann","at":"2026-11-28T23:28:18.534192+00:00","entities":[{"start":1,"end":2,"label":"PER"}],"links":[]}',NULL,'lite/twitter2017/roberta-resnet50/film',NULL,'a26f0c01f2154e5b8de75f4abf912148',9,3);
INSERT INTO "events" VALUES(12,2,12,'import','*','file','2026-11-28T23:28:18.834037+00:00',NULL,'{"verdict":"accepted","reviewer":"file","at":"2026-11-28T23:28:18.834037+00:00","entities":[{"start":0,"end":1,"label":"PER"},{"start":2,"end":3,"label":"PER"},{"start":4,"end":5,"label":"LOC"}],"links":[]}',NULL,'file',NULL,'b0656819e5dc114690146cbb40076162',NULL,NULL);
INSERT INTO "events" VALUES(13,2,8,'decide','Ann','Ann','2026-11-28T23:28:18.920767+00:00',NULL,'{"verdict":"corrected","reviewer":"Ann","at":"2026-11-28T23:28:18.920767+00:00","entities":[{"start":0,"end":1,"label":"PER"},{"start":2,"end":3,"label":"LOC"}],"links":[]}',NULL,NULL,NULL,'4afbd2bdb05f43a792cf4f9e87a6010f',NULL,NULL);
INSERT INTO "events" VALUES(14,2,8,'decide','Bob','Bob','2026-11-28T23:28:18.980265+00:00',NULL,'{"verdict":"corrected","reviewer":"Bob","at":"2026-11-28T23:28:18.980265+00:00","entities":[{"start":0,"end":1,"label":"PER"},{"start":2,"end":3,"label":"LOC"}],"links":[]}',NULL,NULL,NULL,'6ef33bf9e7534cce988906745b10ada9',NULL,NULL);
INSERT INTO "events" VALUES(15,2,9,'decide','Ann','Ann','2026-11-28T23:28:19.038917+00:00',NULL,'{"verdict":"corrected","reviewer":"Ann","at":"2026-11-28T23:28:19.038917+00:00","entities":[{"start":0,"end":1,"label":"PER"},{"start":2,"end":3,"label":"ORG"}],"links":[]}',NULL,NULL,NULL,'e540ff1346f14dcca4142d0fc8168c62',NULL,NULL);
INSERT INTO "events" VALUES(16,2,9,'decide','Bob','Bob','2026-11-28T23:28:19.088000+00:00',NULL,'{"verdict":"corrected","reviewer":"Bob","at":"2026-11-28T23:28:19.088000+00:00","entities":[{"start":0,"end":1,"label":"PER"},{"start":2,"end":3,"label":"OTHER"}],"links":[]}',NULL,NULL,NULL,'ecd3ae115f074a0e9428a30e414432f4',NULL,NULL);
INSERT INTO "events" VALUES(17,2,9,'adjudicate','*','Cleo','2026-11-28T23:28:19.180395+00:00',NULL,'{"verdict":"corrected","reviewer":"Cleo","at":"2026-11-28T23:28:19.180395+00:00","entities":[{"start":0,"end":1,"label":"PER"},{"start":2,"end":3,"label":"ORG"}],"links":[{"head":[0,1],"tail":[2,3],"label":"/per/org/member_of"}]}',NULL,NULL,2.0,'a392c68558f14f1b88f91bdae47b040e',NULL,NULL);
INSERT INTO "events" VALUES(18,2,10,'decide','Ann','Ann','2026-11-28T23:28:19.243814+00:00',NULL,'{"verdict":"corrected","reviewer":"Ann","at":"2026-11-28T23:28:19.243814+00:00","entities":[{"start":0,"end":1,"label":"PER"}],"links":[]}',NULL,NULL,NULL,'94576fe7c21f41e49fb86a7b626b23c0',NULL,NULL);
INSERT INTO "events" VALUES(19,2,10,'decide','Bob','Bob','2026-11-28T23:28:19.328460+00:00',NULL,'{"verdict":"corrected","reviewer":"Bob","at":"2026-11-28T23:28:19.328460+00:00","entities":[],"links":[]}',NULL,NULL,NULL,'a4fcd2143e7f4c9eb4bf4d71d368d4d3',NULL,NULL);
INSERT INTO "events" VALUES(20,2,11,'decide','Ann','Ann','2026-11-28T23:28:19.383255+00:00',NULL,'{"verdict":"corrected","reviewer":"Ann","at":"2026-11-28T23:28:19.383255+00:00","entities":[{"start":0,"end":1,"label":"PER"}],"links":[]}',NULL,NULL,NULL,'64f798d9d2164476869426a5a0aeb016',NULL,NULL);
INSERT INTO "events" VALUES(21,3,13,'decide','','Ann','2026-11-28T23:28:19.582967+00:00',NULL,'{"verdict":"corrected","reviewer":"Ann","at":"2026-11-28T23:28:19.582967+00:00","entities":[],"links":[{"head":[0,2],"tail":[3,5],"label":"None"}]}',0.7,'lite/mnre/vilt/native',NULL,'871c9001e37546ceb45eccaf6c5a14a6',NULL,NULL);
INSERT INTO "events" VALUES(22,3,14,'decide','','Ann','2026-11-28T23:28:19.668317+00:00',NULL,'{"verdict":"accepted","reviewer":"Ann","at":"2026-11-28T23:28:19.668317+00:00","entities":[],"links":[{"head":[2,3],"tail":[0,1],"label":"/per/per/peer"}]}',NULL,'file',NULL,'f1fb84fb33e04af893b94b02720d3139',NULL,NULL);
INSERT INTO "events" VALUES(23,3,15,'decide','','Bob','2026-11-28T23:28:19.718431+00:00',NULL,'{"verdict":"corrected","reviewer":"Bob","at":"2026-11-28T23:28:19.718431+00:00","entities":[{"start":0,"end":1,"label":"PER"},{"start":2,"end":3,"label":"ORG"}],"links":[{"head":[0,1],"tail":[2,3],"label":"/per/org/member_of","score":0.9}]}',0.9,'lite/mnre/vilt/native',NULL,'f2a4929d78954513b225349586a8395e',NULL,NULL);
INSERT INTO "events" VALUES(24,3,16,'decide','','Bob','2026-11-28T23:28:19.769159+00:00',NULL,'{"verdict":"corrected","reviewer":"Bob","at":"2026-11-28T23:28:19.769159+00:00","entities":[],"links":[{"head":[0,1],"tail":[0,1],"label":"None"}]}',NULL,NULL,NULL,'af2a8e5c08314088b48a924c40f91e3f',NULL,NULL);
INSERT INTO "events" VALUES(25,3,18,'decide','','Bob','2026-11-28T23:28:19.828486+00:00',NULL,'{"verdict":"corrected","reviewer":"Bob","at":"2026-11-28T23:28:19.828486+00:00","entities":[{"start":0,"end":1,"label":"PER"},{"start":2,"end":3,"label":"ORG"},{"start":4,"end":5,"label":"LOC"}],"links":[{"head":[0,1],"tail":[2,3],"label":"/per/org/member_of"},{"head":[2,3],"tail":[4,5],"label":"/org/loc/locate_at"}]}',NULL,NULL,NULL,'297573cc3b2a4cce918d3aae9b56e291',NULL,NULL);
CREATE TABLE leases (
	post_id INTEGER NOT NULL, 
	reviewer TEXT NOT NULL, 
	expires FLOAT NOT NULL, 
	PRIMARY KEY (post_id, reviewer), 
	FOREIGN KEY(post_id) REFERENCES posts (id)
);
INSERT INTO "leases" VALUES(7,'Ann',1.79590879873296189314e+09);
CREATE TABLE posts (
	id INTEGER NOT NULL, 
	queue_id INTEGER NOT NULL, 
	ref TEXT NOT NULL, 
	shuffle INTEGER NOT NULL, 
	body TEXT NOT NULL, 
	photo TEXT, 
	search TEXT NOT NULL, 
	suggestion TEXT, 
	checkpoint TEXT, 
	score FLOAT, 
	entropy FLOAT, 
	disagreement FLOAT, 
	flip FLOAT, 
	seats TEXT NOT NULL, 
	status VARCHAR(12) NOT NULL, 
	labels TEXT NOT NULL, 
	reviewers TEXT NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (queue_id, ref), 
	FOREIGN KEY(queue_id) REFERENCES queues (id)
);
INSERT INTO "posts" VALUES(1,1,'t1',181014707,'{"text":"Kevin Durant  visits\n#Oakland \u2764\ufe0f","tokens":["Kevin","Durant","visits","#","Oakland","\u2764","\ufe0f"],"image_id":"17_06","pair":null,"tags":null}',NULL,'kevin durant  visits
#oakland ❤️
t1','{"entities":[{"start":0,"end":2,"label":"PER","score":0.987},{"start":4,"end":5,"label":"LOC","score":0.61}],"links":[],"checkpoint":"lite/twitter2017/roberta-resnet50/film","relations":[],"entropy":1.25,"disagreement":0.3333333333333333,"flip":0.0}','lite/twitter2017/roberta-resnet50/film',0.61,1.25,3.33333333333333314829e-01,0.0,'{"":{"version":1,"head":1,"decision":{"verdict":"corrected","reviewer":"Ann","at":"2026-11-28T23:28:18.042196+00:00","entities":[{"start":0,"end":2,"label":"PER","score":0.987},{"start":4,"end":5,"label":"LOC","score":0.61}],"links":[{"head":[0,2],"tail":[4,5],"label":"/per/loc/place_of_residence"}]}}}','corrected','|/per/loc/place_of_residence|LOC|PER|','|Ann|');
INSERT INTO "posts" VALUES(2,1,'t2',691031385,'{"text":"Ann Lee joins the Warriors of Oakland","tokens":["Ann","Lee","joins","the","Warriors","of","Oakland"],"image_id":null,"pair":null,"tags":null}',NULL,'ann lee joins the warriors of oakland
t2','{"entities":[{"start":0,"end":2,"label":"PER","score":0.9},{"start":4,"end":5,"label":"ORG","score":0.8}],"links":[],"checkpoint":"lite/twitter2017/roberta-resnet50/film","relations":[],"entropy":0.5,"disagreement":null,"flip":null}','lite/twitter2017/roberta-resnet50/film',0.8,0.5,NULL,NULL,'{"":{"version":1,"head":2,"decision":{"verdict":"corrected","reviewer":"Ann","at":"2026-11-28T23:28:18.113862+00:00","entities":[{"start":0,"end":2,"label":"PER","score":0.9},{"start":4,"end":5,"label":"ORG","score":0.8},{"start":6,"end":7,"label":"LOC"}],"links":[{"head":[0,2],"tail":[4,5],"label":"/per/org/member_of"},{"head":[4,5],"tail":[6,7],"label":"/org/loc/locate_at"}]}}}','corrected','|/org/loc/locate_at|/per/org/member_of|LOC|ORG|PER|','|Ann|');
INSERT INTO "posts" VALUES(3,1,'t3',835303863,'{"text":"RT @bob : nothing here","tokens":["RT","@bob",":","nothing","here"],"image_id":null,"pair":null,"tags":null}',NULL,'rt @bob : nothing here
t3','{"entities":[],"links":[],"checkpoint":"lite/twitter2017/roberta-resnet50/film","relations":[],"entropy":null,"disagreement":null,"flip":null}','lite/twitter2017/roberta-resnet50/film',NULL,NULL,NULL,NULL,'{"":{"version":4,"head":9,"decision":{"verdict":"corrected","reviewer":"Ann","at":"2026-11-28T23:28:18.534192+00:00","entities":[{"start":1,"end":2,"label":"PER"}],"links":[]}}}','corrected','|PER|','|Ann|');
INSERT INTO "posts" VALUES(4,1,'t4',2050091038,'{"text":"<b>${x}</b> {{y}} \u202eevil in Paris","tokens":["<b>${x}</b>","{{y}}","\u202eevil","in","Paris"],"image_id":null,"pair":null,"tags":null}',NULL,'<b>${x}</b> {{y}} ‮evil in paris
t4',NULL,NULL,NULL,NULL,NULL,NULL,'{"":{"version":1,"head":4,"decision":{"verdict":"rejected","reviewer":"Bob","at":"2026-11-28T23:28:18.171049+00:00","entities":[{"start":3,"end":4,"label":"MISC"}],"links":[]}}}','rejected','|MISC|','|Bob|');
INSERT INTO "posts" VALUES(5,1,'t5',682743352,'{"text":"Tom Hanks and Tom Hanks","tokens":["Tom","Hanks","and","Tom","Hanks"],"image_id":null,"pair":null,"tags":null}',NULL,'tom hanks and tom hanks
t5','{"entities":[{"start":0,"end":2,"label":"PER","score":0.99},{"start":3,"end":5,"label":"PER","score":0.98}],"links":[],"checkpoint":"lite/twitter2017/roberta-resnet50/film","relations":[],"entropy":null,"disagreement":null,"flip":null}','lite/twitter2017/roberta-resnet50/film',0.98,NULL,NULL,NULL,'{"":{"version":1,"head":5,"decision":{"verdict":"accepted","reviewer":"Cy","at":"2026-11-28T23:28:18.246515+00:00","entities":[{"start":0,"end":2,"label":"PER","score":0.99},{"start":3,"end":5,"label":"PER","score":0.98}],"links":[]}}}','accepted','|PER|','|Cy|');
INSERT INTO "posts" VALUES(6,1,'t6',1686407157,'{"text":"\u0645\u0631\u062d\u0628\u0627 Cairo","tokens":["\u0645\u0631\u062d\u0628\u0627","Cairo"],"image_id":null,"pair":null,"tags":null}',NULL,'مرحبا cairo
t6',NULL,NULL,NULL,NULL,NULL,NULL,'{"":{"version":3,"head":6,"decision":{"verdict":"corrected","reviewer":"Bob","at":"2026-11-28T23:28:18.275996+00:00","entities":[{"start":1,"end":2,"label":"LOC"}],"links":[]}}}','corrected','|LOC|','|Bob|');
INSERT INTO "posts" VALUES(7,1,'t7',989868392,'{"text":"Serena loves New York","tokens":["Serena","loves","New","York"],"image_id":"17_07","pair":null,"tags":null}',NULL,'serena loves new york
t7','{"entities":[{"start":0,"end":1,"label":"PER"}],"links":[],"checkpoint":"file","relations":[],"entropy":null,"disagreement":null,"flip":null}','file',NULL,NULL,NULL,NULL,'{}','open','|PER|','|');
INSERT INTO "posts" VALUES(8,2,'b1',1685860824,'{"text":"Ann in Rome","tokens":["Ann","in","Rome"],"image_id":null,"pair":null,"tags":null}',NULL,'ann in rome
b1',NULL,NULL,NULL,NULL,NULL,NULL,'{"Ann":{"version":1,"head":13,"decision":{"verdict":"corrected","reviewer":"Ann","at":"2026-11-28T23:28:18.920767+00:00","entities":[{"start":0,"end":1,"label":"PER"},{"start":2,"end":3,"label":"LOC"}],"links":[]}},"Bob":{"version":1,"head":14,"decision":{"verdict":"corrected","reviewer":"Bob","at":"2026-11-28T23:28:18.980265+00:00","entities":[{"start":0,"end":1,"label":"PER"},{"start":2,"end":3,"label":"LOC"}],"links":[]}}}','corrected','|LOC|PER|','|Ann|Bob|');
INSERT INTO "posts" VALUES(9,2,'b2',592137937,'{"text":"Bob at Nike","tokens":["Bob","at","Nike"],"image_id":null,"pair":null,"tags":null}',NULL,'bob at nike
b2',NULL,NULL,NULL,NULL,NULL,NULL,'{"Ann":{"version":1,"head":15,"decision":{"verdict":"corrected","reviewer":"Ann","at":"2026-11-28T23:28:19.038917+00:00","entities":[{"start":0,"end":1,"label":"PER"},{"start":2,"end":3,"label":"ORG"}],"links":[]}},"Bob":{"version":1,"head":16,"decision":{"verdict":"corrected","reviewer":"Bob","at":"2026-11-28T23:28:19.088000+00:00","entities":[{"start":0,"end":1,"label":"PER"},{"start":2,"end":3,"label":"OTHER"}],"links":[]}},"*":{"version":1,"head":17,"decision":{"verdict":"corrected","reviewer":"Cleo","at":"2026-11-28T23:28:19.180395+00:00","entities":[{"start":0,"end":1,"label":"PER"},{"start":2,"end":3,"label":"ORG"}],"links":[{"head":[0,1],"tail":[2,3],"label":"/per/org/member_of"}]}}}','corrected','|/per/org/member_of|ORG|PER|','|Ann|Bob|Cleo|');
INSERT INTO "posts" VALUES(10,2,'b3',2143836889,'{"text":"Cy sings","tokens":["Cy","sings"],"image_id":null,"pair":null,"tags":null}',NULL,'cy sings
b3',NULL,NULL,NULL,NULL,NULL,NULL,'{"Ann":{"version":1,"head":18,"decision":{"verdict":"corrected","reviewer":"Ann","at":"2026-11-28T23:28:19.243814+00:00","entities":[{"start":0,"end":1,"label":"PER"}],"links":[]}},"Bob":{"version":1,"head":19,"decision":{"verdict":"corrected","reviewer":"Bob","at":"2026-11-28T23:28:19.328460+00:00","entities":[],"links":[]}}}','disputed','|','|Ann|Bob|');
INSERT INTO "posts" VALUES(11,2,'b4',736866178,'{"text":"Di runs","tokens":["Di","runs"],"image_id":null,"pair":null,"tags":null}',NULL,'di runs
b4',NULL,NULL,NULL,NULL,NULL,NULL,'{"Ann":{"version":1,"head":20,"decision":{"verdict":"corrected","reviewer":"Ann","at":"2026-11-28T23:28:19.383255+00:00","entities":[{"start":0,"end":1,"label":"PER"}],"links":[]}}}','second','|','|Ann|');
INSERT INTO "posts" VALUES(12,2,'b5',1296544527,'{"text":"Eve met Fay in Oslo","tokens":["Eve","met","Fay","in","Oslo"],"image_id":"15_1","pair":null,"tags":["B-PER","O","I-PER","O","B-LOC"]}',NULL,'eve met fay in oslo
b5','{"entities":[{"start":0,"end":1,"label":"PER"},{"start":2,"end":3,"label":"PER"},{"start":4,"end":5,"label":"LOC"}],"links":[],"checkpoint":"file","relations":[],"entropy":null,"disagreement":null,"flip":null}','file',NULL,NULL,NULL,NULL,'{"*":{"version":1,"head":12,"decision":{"verdict":"accepted","reviewer":"file","at":"2026-11-28T23:28:18.834037+00:00","entities":[{"start":0,"end":1,"label":"PER"},{"start":2,"end":3,"label":"PER"},{"start":4,"end":5,"label":"LOC"}],"links":[]}}}','accepted','|LOC|PER|','|file|');
INSERT INTO "posts" VALUES(13,3,'m1',1456450048,'{"text":"Lauren Bacall in Key Largo","tokens":["Lauren","Bacall","in","Key","Largo"],"image_id":"a.jpg","pair":{"head":[0,2],"tail":[3,5]},"tags":null}',NULL,'lauren bacall in key largo
m1','{"entities":[],"links":[{"head":[0,2],"tail":[3,5],"label":"/per/misc/present_in","score":0.7}],"checkpoint":"lite/mnre/vilt/native","relations":[["/per/misc/present_in",0.7],["None",0.2],["/per/per/peer",0.05]],"entropy":0.7,"disagreement":null,"flip":1.0}','lite/mnre/vilt/native',0.7,0.7,NULL,1.0,'{"":{"version":1,"head":21,"decision":{"verdict":"corrected","reviewer":"Ann","at":"2026-11-28T23:28:19.582967+00:00","entities":[],"links":[{"head":[0,2],"tail":[3,5],"label":"None"}]}}}','corrected','|None|','|Ann|');
INSERT INTO "posts" VALUES(14,3,'m2',956806593,'{"text":"Ann and Bob","tokens":["Ann","and","Bob"],"image_id":null,"pair":{"head":[2,3],"tail":[0,1]},"tags":null}',NULL,'ann and bob
m2','{"entities":[],"links":[{"head":[2,3],"tail":[0,1],"label":"/per/per/peer"}],"checkpoint":"file","relations":[],"entropy":null,"disagreement":null,"flip":null}','file',NULL,NULL,NULL,NULL,'{"":{"version":1,"head":22,"decision":{"verdict":"accepted","reviewer":"Ann","at":"2026-11-28T23:28:19.668317+00:00","entities":[],"links":[{"head":[2,3],"tail":[0,1],"label":"/per/per/peer"}]}}}','accepted','|/per/per/peer|','|Ann|');
INSERT INTO "posts" VALUES(15,3,'m3',1001407426,'{"text":"Ann of Nike","tokens":["Ann","of","Nike"],"image_id":null,"pair":{"head":[0,1],"tail":[2,3]},"tags":null}',NULL,'ann of nike
m3','{"entities":[],"links":[{"head":[0,1],"tail":[2,3],"label":"/per/org/member_of","score":0.9}],"checkpoint":"lite/mnre/vilt/native","relations":[["/per/org/member_of",0.9],["None",0.1]],"entropy":0.7,"disagreement":null,"flip":1.0}','lite/mnre/vilt/native',0.9,0.7,NULL,1.0,'{"":{"version":1,"head":23,"decision":{"verdict":"corrected","reviewer":"Bob","at":"2026-11-28T23:28:19.718431+00:00","entities":[{"start":0,"end":1,"label":"PER"},{"start":2,"end":3,"label":"ORG"}],"links":[{"head":[0,1],"tail":[2,3],"label":"/per/org/member_of","score":0.9}]}}}','corrected','|/per/org/member_of|ORG|PER|','|Bob|');
INSERT INTO "posts" VALUES(16,3,'m4',1022238176,'{"text":"one span","tokens":["one","span"],"image_id":null,"pair":{"head":[0,1],"tail":[0,1]},"tags":null}',NULL,'one span
m4',NULL,NULL,NULL,NULL,NULL,NULL,'{"":{"version":1,"head":24,"decision":{"verdict":"corrected","reviewer":"Bob","at":"2026-11-28T23:28:19.769159+00:00","entities":[],"links":[{"head":[0,1],"tail":[0,1],"label":"None"}]}}}','corrected','|None|','|Bob|');
INSERT INTO "posts" VALUES(17,3,'m5',545647560,'{"text":"no answer yet","tokens":["no","answer","yet"],"image_id":null,"pair":{"head":[0,1],"tail":[2,3]},"tags":null}',NULL,'no answer yet
m5',NULL,NULL,NULL,NULL,NULL,NULL,'{}','open','|','|');
INSERT INTO "posts" VALUES(18,3,'m6',1000621886,'{"text":"Kim of Acme in Bonn","tokens":["Kim","of","Acme","in","Bonn"],"image_id":null,"pair":null,"tags":null}',NULL,'kim of acme in bonn
m6',NULL,NULL,NULL,NULL,NULL,NULL,'{"":{"version":1,"head":25,"decision":{"verdict":"corrected","reviewer":"Bob","at":"2026-11-28T23:28:19.828486+00:00","entities":[{"start":0,"end":1,"label":"PER"},{"start":2,"end":3,"label":"ORG"},{"start":4,"end":5,"label":"LOC"}],"links":[{"head":[0,1],"tail":[2,3],"label":"/per/org/member_of"},{"head":[2,3],"tail":[4,5],"label":"/org/loc/locate_at"}]}}}','corrected','|/org/loc/locate_at|/per/org/member_of|LOC|ORG|PER|','|Bob|');
CREATE TABLE queues (
	id INTEGER NOT NULL, 
	name VARCHAR(80) NOT NULL, 
	dataset VARCHAR(40) NOT NULL, 
	double BOOLEAN NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (name)
);
INSERT INTO "queues" VALUES(1,'tweets','twitter2017',0);
INSERT INTO "queues" VALUES(2,'blind','twitter2015',1);
INSERT INTO "queues" VALUES(3,'pairs','mnre',0);
CREATE TABLE suggestions (
	id INTEGER NOT NULL, 
	post_id INTEGER NOT NULL, 
	at TEXT NOT NULL, 
	body TEXT NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(post_id) REFERENCES posts (id)
);
INSERT INTO "suggestions" VALUES(1,1,'2026-11-28T23:28:17.880160+00:00','{"entities":[{"start":0,"end":2,"label":"PER","score":0.987},{"start":4,"end":5,"label":"LOC","score":0.61}],"links":[],"checkpoint":"lite/twitter2017/roberta-resnet50/film","relations":[],"entropy":1.25,"disagreement":0.3333333333333333,"flip":0.0}');
INSERT INTO "suggestions" VALUES(2,2,'2026-11-28T23:28:17.880160+00:00','{"entities":[{"start":0,"end":2,"label":"PER","score":0.9},{"start":4,"end":5,"label":"ORG","score":0.8}],"links":[],"checkpoint":"lite/twitter2017/roberta-resnet50/film","relations":[],"entropy":0.5,"disagreement":null,"flip":null}');
INSERT INTO "suggestions" VALUES(3,3,'2026-11-28T23:28:17.880160+00:00','{"entities":[],"links":[],"checkpoint":"lite/twitter2017/roberta-resnet50/film","relations":[],"entropy":null,"disagreement":null,"flip":null}');
INSERT INTO "suggestions" VALUES(4,5,'2026-11-28T23:28:17.880160+00:00','{"entities":[{"start":0,"end":2,"label":"PER","score":0.99},{"start":3,"end":5,"label":"PER","score":0.98}],"links":[],"checkpoint":"lite/twitter2017/roberta-resnet50/film","relations":[],"entropy":null,"disagreement":null,"flip":null}');
INSERT INTO "suggestions" VALUES(5,13,'2026-11-28T23:28:19.518966+00:00','{"entities":[],"links":[{"head":[0,2],"tail":[3,5],"label":"/per/misc/present_in","score":0.7}],"checkpoint":"lite/mnre/vilt/native","relations":[["/per/misc/present_in",0.7],["None",0.2],["/per/per/peer",0.05]],"entropy":0.7,"disagreement":null,"flip":1.0}');
INSERT INTO "suggestions" VALUES(6,15,'2026-11-28T23:28:19.518966+00:00','{"entities":[],"links":[{"head":[0,1],"tail":[2,3],"label":"/per/org/member_of","score":0.9}],"checkpoint":"lite/mnre/vilt/native","relations":[["/per/org/member_of",0.9],["None",0.1]],"entropy":0.7,"disagreement":null,"flip":1.0}');
CREATE INDEX posts_status ON posts (queue_id, status);
CREATE INDEX ix_suggestions_post_id ON suggestions (post_id);
CREATE INDEX ix_events_post_id ON events (post_id);
CREATE INDEX events_reviewer ON events (queue_id, reviewer, id);
CREATE INDEX ix_events_batch ON events (batch);
CREATE INDEX ix_events_target ON events (target);
CREATE TRIGGER events_no_update BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'events only grow'); END;
CREATE TRIGGER events_no_delete BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'events only grow'); END;
CREATE INDEX posts_entropy ON posts (queue_id, entropy) WHERE status IN ('open', 'second');
CREATE INDEX posts_disagreement ON posts (queue_id, disagreement) WHERE status IN ('open', 'second');
CREATE INDEX posts_flip ON posts (queue_id, flip) WHERE status IN ('open', 'second');
COMMIT;
