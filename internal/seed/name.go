package seed

import (
	"math/rand/v2"
	"strings"
)

// Names as they are met in a school of Kazakhstan: the first of each list are
// borne by many, the last by few, so that a search can be for something common or
// for something rare.
var (
	women = strings.Fields(`Айгерим Дарина Анна Камила Мадина Жанна Ольга Әсель Сабина Светлана Томирис Юлия Алия Екатерина
		Динара Гүлнар Мария Айжан Назерке Елена Сәуле Татьяна Ұлпан Аружан Жансая Наталья Гаухар Ирина Әлия Виктория Меруерт
		Кристина Балжан Людмила Зарина Раушан Полина Индира Шолпан Вера Қарлығаш Эльмира Лаура Тоғжан Оксана Бибігүл Регина Хадиша Инкар Злата`)
	men = strings.Fields(`Азамат Алексей Ерлан Тимур Руслан Максим Бауыржан Дмитрий Қанат Нұрсұлтан Сергей Арман Данияр Андрей
		Ғалым Өмірзақ Иван Асқар Ерасыл Владимир Серік Олжас Николай Марат Жандос Павел Қайрат Игорь Санжар Мирас Виктор Дәурен
		Роман Алихан Бекзат Константин Әділет Рустам Еркебұлан Григорий Шыңғыс Фёдор Ілияс Жәнібек Платон Ержан Вячеслав Хамза Лев Қуаныш`)
	// These end in another letter for a woman.
	surnames = strings.Fields(`Ахметов Иванов Сапаров Абдрахманов Қасымов Петров Есенов Мұратов Смагулов Волков Төлегенов Жұмабаев
		Оспанов Кузнецов Нұрланов Омаров Попов Садықов Ибраев Соколов Әбдіров Рахимов Лебедев Байжанов Морозов Сейтқалиев Тлеубаев
		Козлов Бекмұхамбетов Новиков Искаков Жақсыбеков Макаров Тоқтаров Алимов Фролов Кенжебеков Досанов Зайцев Құрманғалиев Ермеков
		Орлов Исабеков Гаврилов Мәмбетов Шарипов Виноградов Рысқұлов Тимофеев Дүйсенбаев Юсупов Богданов Утегенов Ғабдуллин Ефимов
		Байсеитов Хасанов Чернов Мырзахметов Щербаков Әлімжанов Яковлев Найманбаев Журавлев Сыздықов Эргашев Цветков Шәріпов`)
	// These do not.
	families = strings.Fields(`Ким Ли Пак Цой Шевченко Тен Хан Югай Нам Коваленко Цхай Өтеген Шин Бондаренко Ан Мун Лигай Дюсебай Когай Эм`)
	// Met once in thousands.
	strangers = strings.Fields(`Щукарь Пфайфер Жүнісбек Эйхгорн Ющук Цзю Фъюче Оғызхан Ытыс Ёлкин`)
)

// Name makes up a person.
func Name(r *rand.Rand) string {
	woman := r.IntN(2) == 0
	first := men
	if woman {
		first = women
	}
	name := pick(r, first) + " "
	switch kind := r.IntN(1000); {
	case kind == 0:
		return name + strangers[r.IntN(len(strangers))]
	case kind < 250:
		return name + pick(r, families)
	case woman:
		return name + pick(r, surnames) + "а"
	default:
		return name + pick(r, surnames)
	}
}

// pick answers one of the names, the first ones more often than the last.
func pick(r *rand.Rand, names []string) string {
	u := r.Float64()
	return names[int(u*u*float64(len(names)))]
}

// Latin writes a name in the letters of an e-mail address.
func Latin(name string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(name) {
		b.WriteString(latin[r])
	}
	return b.String()
}

var latin = latinLetters()

func latinLetters() map[rune]string {
	const from = "абвгдеёжзийклмнопрстуфхцчшщъыьэюяәғқңөұүһі"
	to := strings.Fields("a b v g d e e zh z i y k l m n o p r s t u f h ts ch sh sch - y - e yu ya a g q n o u u h i")
	letters := map[rune]string{' ': "."}
	for i, r := range []rune(from) {
		letters[r] = strings.Trim(to[i], "-")
	}
	return letters
}
