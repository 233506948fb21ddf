#include "dictionary.h"

#include <stddef.h>

#include "base/mem.h"
#include "hash.h"

static const struct status stages[] = {
    { "NEW", "Новая", NULL },
    { "PREPARATION", "Подготовка документов", NULL },
    { "PREPAYMENT_INVOICE", "Счёт на предоплату", NULL },
    { "EXECUTING", "В работе", NULL },
    { "FINAL_INVOICE", "Финальный счёт", NULL },
    { "WON", "Сделка успешна", "S" },
    { "LOSE", "Сделка провалена", "F" },
    { "APOLOGY", "Анализ причины провала", "F" },
};
static const struct status lead_statuses[] = {
    { "NEW", "Не обработан", NULL },
    { "IN_PROCESS", "В работе", NULL },
    { "PROCESSED", "Обработан", NULL },
    { "CONVERTED", "Качественный лид", "S" },
    { "JUNK", "Некачественный лид", "F" },
};
static const struct status sources[] = {
    { "CALL", "Звонок", NULL },
    { "EMAIL", "Электронная почта", NULL },
    { "WEB", "Веб-сайт", NULL },
    { "ADVERTISING", "Реклама", NULL },
    { "PARTNER", "Существующий клиент", NULL },
    { "RECOMMENDATION", "По рекомендации", NULL },
    { "TRADE_SHOW", "Выставка", NULL },
    { "WEBFORM", "CRM-форма", NULL },
    { "CALLBACK", "Обратный звонок", NULL },
    { "STORE", "Интернет-магазин", NULL },
    { "UC_4VUH5M", "Авито & \"Юла\"", NULL },
    { "OTHER", "Другое", NULL },
};
static const struct status deal_types[] = {
    { "SALE", "Продажа", NULL },
    { "COMPLEX", "Комплексная продажа", NULL },
    { "GOODS", "Продажа товара", NULL },
    { "SERVICES", "Оказание услуг", NULL },
    { "SERVICE", "Сервисное обслуживание", NULL },
};
static const struct status contact_types[] = {
    { "CLIENT", "Клиенты", NULL },
    { "SUPPLIER", "Поставщики", NULL },
    { "PARTNER", "Партнёры", NULL },
    { "OTHER", "Другое", NULL },
};
static const struct status company_types[] = {
    { "CUSTOMER", "Клиент", NULL },
    { "SUPPLIER", "Поставщик", NULL },
    { "COMPETITOR", "Конкурент", NULL },
    { "PARTNER", "Партнёр", NULL },
    { "OTHER", "Другое", NULL },
};
static const struct status industries[] = {
    { "IT", "Информационные технологии", NULL },
    { "TELECOM", "Телекоммуникации и связь", NULL },
    { "MANUFACTURING", "Производство", NULL },
    { "BANKING", "Банковские услуги", NULL },
    { "CONSULTING", "Консалтинг", NULL },
    { "FINANCE", "Финансы", NULL },
    { "GOVERNMENT", "Правительство", NULL },
    { "DELIVERY", "Доставка", NULL },
    { "NOTPROFIT", "Не для получения прибыли", NULL },
    { "OTHER", "Другое", NULL },
};
static const struct status employees[] = {
    { "EMPLOYEES_1", "менее 50", NULL },
    { "EMPLOYEES_2", "50-250", NULL },
    { "EMPLOYEES_3", "250-500", NULL },
    { "EMPLOYEES_4", "более 500", NULL },
};
static const struct status quote_statuses[] = {
    { "DRAFT", "Черновик", NULL },
    { "SENT", "Отправлено клиенту", NULL },
    { "APPROVED", "Принято", "S" },
    { "UNAPPROVED", "Отклонено", "F" },
};
static const struct status invoice_stages[] = {
    { "DT31_5:N", "Новый", NULL },
    { "DT31_5:S", "Отправлен", NULL },
    { "DT31_5:P", "Оплачен", "S" },
    { "DT31_5:D", "Не оплачен", "F" },
};
static const struct status smart_stages[] = {
    { "DT156_10:NEW", "Начало", NULL },
    { "DT156_10:PREPARATION", "Подготовка", NULL },
    { "DT156_10:CLIENT", "Согласование", NULL },
    { "DT156_10:SUCCESS", "Успех", "S" },
    { "DT156_10:FAIL", "Провал", "F" },
};
static const struct status honorifics[] = { { "HNR_RU_1", "г-н", NULL }, { "HNR_RU_2", "г-жа", NULL } };

#define DICTIONARY(entity_, list_, type_id_, category_) \
    { \
        entity_, list_, ARRAY_SIZE(list_), type_id_, category_ \
    }
static const struct dictionary dictionaries[] = {
    DICTIONARY("SOURCE", sources, 0, 0),
    DICTIONARY("STATUS", lead_statuses, 1, 0),
    DICTIONARY("DEAL_TYPE", deal_types, 0, 0),
    DICTIONARY("CONTACT_TYPE", contact_types, 0, 0),
    DICTIONARY("COMPANY_TYPE", company_types, 0, 0),
    DICTIONARY("INDUSTRY", industries, 0, 0),
    DICTIONARY("EMPLOYEES", employees, 0, 0),
    DICTIONARY("HONORIFIC", honorifics, 0, 0),
    DICTIONARY("DEAL_STAGE", stages, 2, 0),
    DICTIONARY("DEAL_STAGE_1", stages, 2, 1),
    DICTIONARY("DEAL_STAGE_2", stages, 2, 2),
    DICTIONARY("DEAL_STAGE_3", stages, 2, 3),
    DICTIONARY("QUOTE_STATUS", quote_statuses, 7, 0),
    DICTIONARY("SMART_INVOICE_STAGE_5", invoice_stages, 31, 0),
    DICTIONARY("DYNAMIC_156_STAGE_10", smart_stages, 156, 0),
};

const char *const FUNNEL_NAMES[FUNNELS] = { "Общая", "Опт", "Сервис & гарантия", "Тендеры \"44-ФЗ\"" };

const struct dictionary *dictionary_at(int n)
{
    return n >= 0 && n < (int)ARRAY_SIZE(dictionaries) ? &dictionaries[n] : NULL;
}

const struct dictionary *dictionary_of(const char *entity)
{
    for (size_t i = 0; entity != NULL && i < ARRAY_SIZE(dictionaries); i++) {
        if (strcmp(dictionaries[i].entity, entity) == 0)
            return &dictionaries[i];
    }
    return NULL;
}

const struct status *dictionary_pick(const char *entity, uint64_t h)
{
    const struct dictionary *d = dictionary_of(entity);

    return d ? &d->list[hash_below(h, (uint32_t)d->count)] : &sources[0];
}

const struct status *stage_pick(uint64_t h)
{
    static const unsigned char share[ARRAY_SIZE(stages)] = { 25, 15, 8, 14, 6, 18, 9, 5 }; /* of 100 */
    uint32_t lot = hash_below(h, 100);

    for (size_t i = 0; i < ARRAY_SIZE(stages); i++) {
        if (lot < share[i])
            return &stages[i];
        lot -= share[i];
    }
    return &stages[0];
}

const struct status *lead_status_pick(uint64_t h)
{
    return &lead_statuses[hash_below(h, ARRAY_SIZE(lead_statuses))];
}
